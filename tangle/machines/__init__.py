"""Pay-on-production: a machine produces, counts, and is paid per unit from a customer's deposit."""
