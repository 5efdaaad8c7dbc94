"""Documents: their pages are counted, and what Textract and Comprehend have found in them becomes tables."""
