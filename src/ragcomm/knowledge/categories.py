"""Kinds and categories of entries; apart from what searches them, because serving needs only these."""

from __future__ import annotations

# The kinds of entries, each with the model that finds them.
KINDS = {"faq": "answers", "claims": "debunks"}
# What an entry's id begins with.
PREFIXES = {"faq": "faq.", "claims": "claim."}
# What a claim may turn out to be.
CLAIM_VERDICTS = ("false", "misleading", "unproven", "true")
# What may harm when it is wrong: safety, patients, women, children and old people, herbs and medicines.
CLINICAL = frozenset(
    {
        *("safety", "chronic", "women", "children", "elderly", "herb", "formula"),
        *("herb_safety_myth", "vaccine_drug_fear", "cancer", "cure_all", "covid_flu", "product_hype"),
    }
)
CLINICIAN = "clinician"
