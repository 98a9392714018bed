r"""The formulas that no rule can be run on symbols for: those of operations on whole arrays, written by hand.

For each operation, for each input: (text, local factor, LaTeX, note). Texts begin with `∂L/∂`, y is the output, and a note is a
key of the catalogue that says what the formula alone doesn't. `D{x_i}` in the LaTeX stands for \frac{\partial L}{\partial x_i}.
tests/see/test_formulas.py compares each with its rule's numbers.
"""

from __future__ import annotations

Notation = tuple[str, str, str, str | None]

#: What is the same for each entry, or hands the derivative on.
_SAME: Notation = ("∂L/∂x = ∂L/∂y", "1", "D{x} = D{y}", None)

NOTATIONS: dict[str, list[Notation | None]] = {
    "astype": [_SAME],
    "copy": [_SAME],
    "real": [_SAME],
    "conjugate": [("∂L/∂x = conj(∂L/∂y)", "conj", r"D{x} = \mathrm{conj}\left(D{y}\right)", None)],
    "imag": [("∂L/∂x = −i · ∂L/∂y", "−i", r"D{x} = -i \cdot D{y}", None)],
    "sinc": [
        ("∂L/∂x = ∂L/∂y · (cos(π·x) − y)/x", "(cos(π·x) − y)/x",
         r"D{x} = D{y} \cdot \frac{\cos\left(\pi \cdot x\right) - y}{x}", None),
    ],
    "angle": [("∂L/∂x = ∂L/∂y · −i/x", "−i/x", r"D{x} = D{y} \cdot \frac{-i}{x}", None)],
    "exprel": [
        ("∂L/∂x = ∂L/∂y · (exp(x) − y)/x", "(exp(x) − y)/x",
         r"D{x} = D{y} \cdot \frac{\exp\left(x\right) - y}{x}", None),
    ],
    "log_ndtr": [
        ("∂L/∂x = ∂L/∂y · exp(−x²/2 − y)/√(2·π)", "exp(−x²/2 − y)/√(2·π)",
         r"D{x} = D{y} \cdot \frac{\exp\left(-\frac{x^{2}}{2} - y\right)}{\sqrt{2 \cdot \pi}}", None),
    ],
    "where": [
        None,
        ("∂L/∂x₂ = ∂L/∂y · [x₁]", "[x₁]", r"D{x_2} = D{y} \cdot \left[x_1\right]", "formula_brackets"),
        ("∂L/∂x₃ = ∂L/∂y · [¬x₁]", "[¬x₁]", r"D{x_3} = D{y} \cdot \left[\lnot x_1\right]", "formula_brackets"),
    ],
    "ldexp": [None, None],  # the first is made from its rule
    "sum": [("∂L/∂xᵢ = ∂L/∂y", "1", "D{x_i} = D{y}", "formula_each")],
    "prod": [
        ("∂L/∂xᵢ = ∂L/∂y · ∏(k ≠ i) xₖ", "∏(k ≠ i) xₖ", r"D{x_i} = D{y} \cdot \prod_{k \neq i} x_k", "formula_each"),
    ],
    "max": [
        ("∂L/∂xᵢ = ∂L/∂y · [xᵢ = y] / Σ(k) [xₖ = y]", "[xᵢ = y] / Σ(k) [xₖ = y]",
         r"D{x_i} = D{y} \cdot \frac{\left[x_i = y\right]}{\sum_k \left[x_k = y\right]}", "formula_ties"),
    ],
    "cumsum": [("∂L/∂xᵢ = Σ(k ≥ i) ∂L/∂yₖ", "", r"D{x_i} = \sum_{k \geq i} D{y_k}", "formula_each")],
    "cumprod": [
        ("∂L/∂xᵢ = Σ(k ≥ i) ∂L/∂yₖ · yₖ/xᵢ", "", r"D{x_i} = \sum_{k \geq i} D{y_k} \cdot \frac{y_k}{x_i}", "formula_each"),
    ],
    "norm": [("∂L/∂x = ∂L/∂y · x/y", "x/y", r"D{x} = D{y} \cdot \frac{x}{y}", None)],
    "reshape": [("∂L/∂x = reshape(∂L/∂y)", "", r"D{x} = \mathrm{reshape}\left(D{y}\right)", "formula_moved")],
    "flip": [("∂L/∂x = flip(∂L/∂y)", "", r"D{x} = \mathrm{flip}\left(D{y}\right)", "formula_moved")],
    "roll": [("∂L/∂x = roll(∂L/∂y)", "", r"D{x} = \mathrm{roll}\left(D{y}\right)", "formula_moved")],
    "broadcast_to": [("∂L/∂x = Σ ∂L/∂y", "", r"D{x} = \sum D{y}", "formula_copies")],
    "repeat": [("∂L/∂x = Σ ∂L/∂y", "", r"D{x} = \sum D{y}", "formula_copies")],
    "getitem": [("∂L/∂x[k] = ∂L/∂y", "", r"D{x\left[k\right]} = D{y}", "formula_read")],
    "scatter": [("∂L/∂x = ∂L/∂y[k]", "", r"D{x} = D{y}\left[k\right]", None)],
    "write": [
        ("∂L/∂x₁ = ∂L/∂y", "", "D{x_1} = D{y}", "formula_overwritten"),
        ("∂L/∂x₂ = ∂L/∂y[k]", "", r"D{x_2} = D{y}\left[k\right]", None),
    ],
    "diagonal": [("∂L/∂x = diag(∂L/∂y)", "", r"D{x} = \mathrm{diag}\left(D{y}\right)", "formula_read")],
    "correlate": [
        ("∂L/∂x₁[j] = Σ(i) ∂L/∂y[i] · x₂[j − i]", "",
         r"D{x_1\left[j\right]} = \sum_i D{y\left[i\right]} \cdot x_2\left[j-i\right]", None),
        ("∂L/∂x₂[k] = Σ(i) ∂L/∂y[i] · x₁[i + k]", "",
         r"D{x_2\left[k\right]} = \sum_i D{y\left[i\right]} \cdot x_1\left[i+k\right]", None),
    ],
    "inv": [("∂L/∂A = −Yᵀ · ∂L/∂Y · Yᵀ", "", r"D{A} = -Y^T \cdot D{Y} \cdot Y^T", None)],
    "solve": [
        ("∂L/∂A = −A⁻ᵀ · ∂L/∂Y · Yᵀ", "", r"D{A} = -A^{-T} \cdot D{Y} \cdot Y^T", None),
        ("∂L/∂B = A⁻ᵀ · ∂L/∂Y", "A⁻ᵀ", r"D{B} = A^{-T} \cdot D{Y}", None),
    ],
    "det": [("∂L/∂A = ∂L/∂y · y · A⁻ᵀ", "y · A⁻ᵀ", r"D{A} = D{y} \cdot y \cdot A^{-T}", None)],
    "slogdet": [("∂L/∂A = ∂L/∂y₂ · A⁻ᵀ", "A⁻ᵀ", r"D{A} = D{y_2} \cdot A^{-T}", "formula_slogdet")],
    "cholesky": [
        ("∂L/∂A = (S + Sᵀ)/2, S = Y⁻ᵀ · Φ(Yᵀ · ∂L/∂Y) · Y⁻¹", "",
         r"D{A} = \frac{S + S^T}{2}, \quad S = Y^{-T} \cdot \Phi\left(Y^T \cdot D{Y}\right) \cdot Y^{-1}", "formula_cholesky"),
    ],
    "eigvalsh": [
        ("∂L/∂A = V · diag(∂L/∂y) · Vᵀ", "", r"D{A} = V \cdot \mathrm{diag}\left(D{y}\right) \cdot V^T",
         "formula_eigenvectors"),
    ],
    "eigvals": [
        ("∂L/∂A = V⁻ᵀ · diag(∂L/∂y) · Vᵀ", "", r"D{A} = V^{-T} \cdot \mathrm{diag}\left(D{y}\right) \cdot V^T",
         "formula_eigenvectors"),
    ],
    "svdvals": [
        ("∂L/∂A = U · diag(∂L/∂y) · Vᵀ", "", r"D{A} = U \cdot \mathrm{diag}\left(D{y}\right) \cdot V^T", "formula_singular"),
    ],
    "cross": [("∂L/∂x₁ = x₂ × ∂L/∂y", "", r"D{x_1} = x_2 \times D{y}", None),
              ("∂L/∂x₂ = ∂L/∂y × x₁", "", r"D{x_2} = D{y} \times x_1", None)],
    "vecdot": [("∂L/∂x₁ = ∂L/∂y · x₂", "x₂", r"D{x_1} = D{y} \cdot x_2", None),
               ("∂L/∂x₂ = ∂L/∂y · x₁", "x₁", r"D{x_2} = D{y} \cdot x_1", None)],
    "matvec": [("∂L/∂A = ∂L/∂y ⊗ x", "x", r"D{A} = D{y} \otimes x", "formula_outer"),
               ("∂L/∂x = Aᵀ · ∂L/∂y", "Aᵀ", r"D{x} = A^T \cdot D{y}", None)],
    "vecmat": [("∂L/∂x = A · ∂L/∂y", "A", r"D{x} = A \cdot D{y}", None),
               ("∂L/∂A = x ⊗ ∂L/∂y", "x", r"D{A} = x \otimes D{y}", "formula_outer")],
    "fft": [("∂L/∂x = fft(∂L/∂y)", "", r"D{x} = \mathrm{fft}\left(D{y}\right)", None)],
    "ifft": [("∂L/∂x = ifft(∂L/∂y)", "", r"D{x} = \mathrm{ifft}\left(D{y}\right)", None)],
    "pick": [("∂L/∂xₖ = ∂L/∂y", "1", "D{x_k} = D{y}", "formula_pick")],
}  # fmt: skip
NOTATIONS["min"] = NOTATIONS["max"]

#: Where a formula depends on the operation's params: what of them says which, and the formulas for each.
BY_PARAMS: dict[str, dict[str, list[Notation | None]]] = {
    # by the axes of the two inputs, 1 or 2 (and more: stacks of matrices)
    "matmul": {
        "1 1": [("∂L/∂x₁ = ∂L/∂y · x₂", "x₂", r"D{x_1} = D{y} \cdot x_2", None),
                ("∂L/∂x₂ = ∂L/∂y · x₁", "x₁", r"D{x_2} = D{y} \cdot x_1", None)],
        "1 2": [("∂L/∂x = B · ∂L/∂y", "B", r"D{x} = B \cdot D{y}", None),
                ("∂L/∂B = x ⊗ ∂L/∂y", "x", r"D{B} = x \otimes D{y}", "formula_outer")],
        "2 1": [("∂L/∂A = ∂L/∂y ⊗ x", "x", r"D{A} = D{y} \otimes x", "formula_outer"),
                ("∂L/∂x = Aᵀ · ∂L/∂y", "Aᵀ", r"D{x} = A^T \cdot D{y}", None)],
        "2 2": [("∂L/∂A = ∂L/∂Y · Bᵀ", "Bᵀ", r"D{A} = D{Y} \cdot B^T", None),
                ("∂L/∂B = Aᵀ · ∂L/∂Y", "Aᵀ", r"D{B} = A^T \cdot D{Y}", None)],
    },
    # two axes changed for one another, or any order of axes
    "transpose": {
        "T": [("∂L/∂X = (∂L/∂Y)ᵀ", "", r"D{X} = \left(D{Y}\right)^T", None)],
        "else": [("∂L/∂x = transpose(∂L/∂y)", "", r"D{x} = \mathrm{transpose}\left(D{y}\right)", "formula_moved")],
    },
}  # fmt: skip

#: Operations whose inputs are as many as one likes: `{i}` is which of them.
FOR_EACH_INPUT: dict[str, Notation] = {
    "concatenate": ("∂L/∂x{i} = (∂L/∂y){i}", "", r"D{x_{i}} = \left(D{y}\right)_{i}", "formula_part"),
}

#: Where a formula has no value, and what the derivative is there.
EXCEPT: dict[str, list[list[str]]] = {"norm": [["y = 0", "0"]], "sinc": [["x = 0", "0"]], "exprel": [["x = 0", "0.5"]]}

#: Operations without a formula, and why.
ABSENT: dict[str, str] = {
    **dict.fromkeys(
        ("cond", "eig", "eigh", "irfft", "lstsq", "pinv", "qr", "rfft", "svd"), "it takes more than a line"
    ),
    **dict.fromkeys(("eigenspaces", "kink", "singular_spaces"), "it comes up in derivatives of derivatives only"),
    "quantile": "which entries it lies between is found out while it runs",
    "einsum": "it is written for each sum at run time, from the labels of its axes",
}

#: Layers of dout's own that have no closed form on symbols: closed, opened.
LAYERS: dict[str, tuple[str, str | None]] = {
    "Affine": ("dx = dout · Wᵀ,  dW = xᵀ · dout,  db = Σ dout", "dx = dout · Wᵀ,  dW = xᵀ · dout,  db = Σ dout"),
    "SoftmaxWithLoss": ("dout · (y − t)/N", "dout · (exp(x)/Σ exp(x) − t)/N"),
}
