"""`make demo`: a pump is paid per unit, watched live, and everything promised is checked over REST."""
