"""MAT files of MATLAB."""
