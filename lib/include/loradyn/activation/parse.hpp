#pragma once

/// \file
/// The grammar of activations: expressions in x of names, + - * /, numbers, integer powers,
/// brackets, functions, parameters in braces.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <loradyn/activation/activation.hpp>

namespace loradyn {

/// Values of the parameters in braces.
using brace_parameters = std::map<std::string, double, std::less<>>;

/// Reads an activation.
///
///     sum     := product (("+" | "-") product)*
///     product := factor (("*" | "/") factor)*
///     factor  := ("+" | "-") factor | atom ("^" integer)?
///     atom    := number | "x" | "{" word "}" | "(" sum ")" | name ("(" sum ")")?
///                | ("max" | "min") "(" sum "," sum ")"
///     name    := linear relu erf sigmoid tanh softplus gelu silu sin cos step exp log sqrt abs
///                he0 … he40 he{word}
///
/// A name alone is called with x. Sums of polynomials, erf and ReLU are recognised by exact
/// rational arithmetic whatever way they are written (max(x, 0) and x*step(x) are relu); any other
/// function is evaluated as it is written, with series that an overflow on the way does not spoil.
/// Its kinks are where what is inside relu, step, abs, max and min changes its sign, found to
/// rounding for |x| <= 1e8 (for |x| <= 100 if sin or cos is within). Powers and the degree of a
/// polynomial end at max_degree. Every text is read or refused within about 0.1 s. \param text the
/// expression, such as "he3+0.5*he5"; it becomes the activation's name \param values the value of
/// every brace parameter that the text names \throws parse_error at a fault of the text; an unknown
/// name lists the nearest known ones. Also at the operation that makes a function infinite or
/// undefined somewhere, or grow faster than x^40 or an exponential, so that it has no Gaussian
/// averages.
activation parse_activation(std::string_view text, const brace_parameters& values = {});

/// The activations of a list, separated by commas outside brackets.
std::vector<std::string_view> split_activations(std::string_view list);

/// The grammar and its names in four lines, for a help text.
std::string activation_grammar();

/// The brace parameters that a text names, each once, in the order of their first appearance.
std::vector<std::string> brace_parameters_of(std::string_view text);

}  // namespace loradyn
