"""Which vetted entry answers this question, or debunks this claim, and is it sure enough to say so?"""
