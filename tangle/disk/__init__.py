"""What is kept on a disk and survives a power cut: whole files, and SQLite books with one writer."""
