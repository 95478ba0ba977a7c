"""What a text may not say: promises of a cure, personal doses, advertising, herbs that do not go together."""
