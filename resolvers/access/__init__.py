"""Who may do what: policy drafts, review, impact, limits of granting, explanations, repair."""
