"""The rules, one file each: they judge facts and know nothing of trees."""
