// Eigenvalues and eigenvectors of symmetric matrices, in float64.
#ifndef SCORE_EIGEN_H
#define SCORE_EIGEN_H

// A (n, n), symmetric, becomes diagonal: its eigenvalues. The columns of V (n, n) become the
// eigenvectors; V may be NULL. Jacobi's rotations until what is off the diagonal is lost in
// rounding. Golub, Van Loan 2013, "Matrix computations", 8.5.
void eigen_symmetric(double *A, int n, double *V);
// Tr √(A B) of two symmetric positive semidefinite (n, n), which are not changed. A negative
// eigenvalue is rounding and counts as 0.
double trace_root_product(const double *A, const double *B, int n);

#endif
