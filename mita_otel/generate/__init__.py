"""Text made of models: reference pages and, later, rules and dashboards."""
