// Eigenvalues and eigenvectors of symmetric matrices, in float64.
#ifndef EVAL_EIGEN_H
#define EVAL_EIGEN_H

// LAPACK's: D (n) becomes the eigenvalues of the symmetric A (n, n), ascending, and the columns of A
// their eigenvectors. All NaN where A has one.
void eigen_symmetric(double *A, int n, double *D);
// Tr √(A B) of two symmetric positive semidefinite (n, n), which are not changed. A negative
// eigenvalue is rounding and counts as 0.
double trace_root_product(const double *A, const double *B, int n);

#endif
