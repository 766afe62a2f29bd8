"""Makes the ears' weights from recordings. Nothing of it is imported by the product."""
