"""The pages people see: templates, what fills them, and what their forms mean."""
