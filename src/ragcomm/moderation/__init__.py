"""Is a message spam, a rumor, a question, abuse or an emergency, and what should be done about it?"""
