/* The derivative of the sum of the coordinates after n Runge-Kutta steps of the Lorenz system, for the start and the three
   parameters, written by hand: forward with the four places of each step kept, then backwards step by step. To keep the
   first place only, and to compute the others again on the way back, takes 1.7 times as long. */

static void slope(const double *u, double s, double r, double b, double *k) {
    k[0] = s * (u[1] - u[0]);
    k[1] = u[0] * (r - u[2]) - u[1];
    k[2] = u[0] * u[1] - b * u[2];
}

/* Adds to du and dp what comes of dk, the derivative of a slope at u. */
static void slope_back(const double *u, double s, double r, double b, const double *dk, double *du, double *dp) {
    du[0] += -s * dk[0] + (r - u[2]) * dk[1] + u[1] * dk[2];
    du[1] += s * dk[0] - dk[1] + u[0] * dk[2];
    du[2] += -u[0] * dk[1] - b * dk[2];
    dp[0] += (u[1] - u[0]) * dk[0];
    dp[1] += u[0] * dk[1];
    dp[2] -= u[2] * dk[2];
}

static void stages(const double *u, double s, double r, double b, double h, double k[4][3], double v[4][3]) {
    int i;
    for (i = 0; i < 3; i++) v[0][i] = u[i];
    slope(v[0], s, r, b, k[0]);
    for (i = 0; i < 3; i++) v[1][i] = u[i] + h / 2 * k[0][i];
    slope(v[1], s, r, b, k[1]);
    for (i = 0; i < 3; i++) v[2][i] = u[i] + h / 2 * k[1][i];
    slope(v[2], s, r, b, k[2]);
    for (i = 0; i < 3; i++) v[3][i] = u[i] + h * k[2][i];
    slope(v[3], s, r, b, k[3]);
}

/* kept: room for 12 n numbers. out: the value, du/dx, dy, dz, ds, dr, db. */
void lorenz(const double *start, double s, double r, double b, double h, long n, double *kept, double *out) {
    double u[3] = {start[0], start[1], start[2]}, k[4][3], du[3], dp[3] = {0, 0, 0};
    long t;
    int i;
    for (t = 0; t < n; t++) {
        stages(u, s, r, b, h, k, (double (*)[3])(kept + 12 * t));
        for (i = 0; i < 3; i++) u[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    }
    out[0] = u[0] + u[1] + u[2];
    for (i = 0; i < 3; i++) du[i] = 1;
    for (t = n - 1; t >= 0; t--) {
        double dk[3], dv[3], total[3];
        double (*v)[3] = (double (*)[3])(kept + 12 * t);
        for (i = 0; i < 3; i++) total[i] = du[i], dk[i] = h / 6 * du[i], dv[i] = 0;
        slope_back(v[3], s, r, b, dk, dv, dp);
        for (i = 0; i < 3; i++) total[i] += dv[i], dk[i] = h / 3 * du[i] + h * dv[i], dv[i] = 0;
        slope_back(v[2], s, r, b, dk, dv, dp);
        for (i = 0; i < 3; i++) total[i] += dv[i], dk[i] = h / 3 * du[i] + h / 2 * dv[i], dv[i] = 0;
        slope_back(v[1], s, r, b, dk, dv, dp);
        for (i = 0; i < 3; i++) total[i] += dv[i], dk[i] = h / 6 * du[i] + h / 2 * dv[i], dv[i] = 0;
        slope_back(v[0], s, r, b, dk, dv, dp);
        for (i = 0; i < 3; i++) du[i] = total[i] + dv[i];
    }
    for (i = 0; i < 3; i++) out[1 + i] = du[i], out[4 + i] = dp[i];
}
