"""The life of an order, and the promises between orders. Pure: values in, values out."""
