"""The same equations in other engines, each in its usual form."""
