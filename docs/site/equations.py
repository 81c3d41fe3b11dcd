"""The equations of docs/theory.md, which are text in the source, as TeX for the site."""

import html
import re

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾ⁱʲⁿᵏ⁻⁺", "0123456789()ijnk-+"))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊", "0123456789+"))
FUNCTIONS = {"sin", "cos", "tan", "log", "exp"}
SYMBOLS = {"½": r"\tfrac12 ", "¼": r"\tfrac14 ", "×": r"\times ", "·": r"\cdot ", "±": r"\pm ", "≈": r"\approx ", "∝": r"\propto ",
           "∈": r"\in ", "⟂": r"\perp ", "∂": r"\partial ", "Σ": r"\sum ", "∫": r"\int ", "ḡ": r"\bar g", "<-": r"\leftarrow ",
           "->": r"\to ", ">=": r"\ge ", "ℓ": r"\ell "}


def roots(text):
    """√(…) and √x."""
    while "√" in text:
        start = text.index("√")
        rest = text[start + 1:]
        if rest.startswith("("):
            depth = 0
            for end, letter in enumerate(rest):
                depth += (letter == "(") - (letter == ")")
                if depth == 0:
                    break
            else:
                raise ValueError(f"brackets do not close in {text}")
            inside, after = rest[1:end], rest[end + 1:]
        elif rest.startswith("…"):
            inside, after = "…", rest[1:]
        else:
            token = re.match(r"\w(?:_\w+)?\d*", rest)[0]
            inside, after = token, rest[len(token):]
        text = f"{text[:start]}\\sqrt{{{inside}}}{after}"
    return text


def tex(line):
    line = line.replace("w*", "w^*").replace("λ*", "λ^*").replace("T_nl", r"T_{\mathrm{nl}}").replace("t_hit", r"t_{\mathrm{hit}}")
    line = re.sub(r"\bK(σσ|σg|gg)", r"K_{\1}", line)
    line = roots(line)
    line = re.sub("[" + "".join(SUPERSCRIPTS) + "]+", lambda m: "^{" + "".join(SUPERSCRIPTS[c] for c in m[0]) + "}", line)
    line = re.sub("[" + "".join(SUBSCRIPTS) + "]+", lambda m: "_{" + "".join(SUBSCRIPTS[c] for c in m[0]) + "}", line)
    line = re.sub(r"<([^<>=-]+)>", r"\\langle \1\\rangle ", line)
    line = re.sub(r"_(\w+)", r"_{\1}", line)
    line = re.sub(r"(?<![A-Za-z])([qGzw])([0-3j])\b", r"\1_\2", line)
    line = re.sub(r"\b(erf|ReLU|asin|Var|normalise)(?![a-z])", r"\\operatorname{\1}", line)
    line = re.sub(r"(?<![\\{a-z])\b(" + "|".join(FUNCTIONS) + r")\b", r"\\\1", line)
    # What is left of words is text.
    line = re.sub(r"(?<![\\a-zA-Z{])((?:as|[a-z]{4,})(?: [a-z]{2,})*)(?![a-zA-Z{(])", r"\\text{ \1 }", line)
    for symbol, command in SYMBOLS.items():
        line = line.replace(symbol, command)
    return re.sub(r" {3,}", r"\\qquad ", line.strip())


def aligned(block):
    """The TeX of the lines of a block; a line that begins with = goes on from the one above."""
    lines = []
    for line in block:
        number = re.search(r"\s+\((\d+\.\d+)\)\s*$", line)
        body = tex(line[: number.start()] if number else line)
        if "=" in body and not lines or body.startswith("="):
            body = body.replace("=", "&=", 1)
        else:
            body = body.replace("=", "&=", 1) if re.match(r"[^=,]*=", body) else "& " + body
        # A column holds about so much: what is wider goes on below.
        parts = body.split(r",\qquad ") if len(body) > 120 else [body]
        parts = [part + "," for part in parts[:-1]] + parts[-1:]
        parts = [part if "&" in part else part.replace("=", "&=", 1) if "=" in part else "& " + part for part in parts]
        lines += [part + r" \notag" for part in parts[:-1]]
        lines.append(parts[-1] + (rf" \tag{{{number[1]}}}" if number else r" \notag"))
    return r"\begin{align}" + r" \\ ".join(lines) + r"\end{align}"


def typeset(page):
    """The page of Markdown with its indented blocks as equations, those that a shell is given left as they are."""
    lines, block, result = page.split("\n"), [], []

    def flush():
        if block and not block[0].strip().startswith("loradyn "):
            result.append(f'```{{raw}} html\n<div class="equation">{html.escape(aligned(block))}</div>\n```')
        else:
            result.extend(block)
        block.clear()

    for line in lines:
        if re.match(r" {4,}\S", line):
            block.append(line)
        else:
            flush()
            result.append(line)
    flush()
    return "\n".join(result)
