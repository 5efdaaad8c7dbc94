"""Tables of numbers, as built-in algorithms take them: in channels with a label, in requests without."""
