#pragma once

/// \file
/// The grammar of activations: names, + - *, numbers, integer powers, brackets, parameters in
/// braces.

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
///     product := factor ("*" factor)*
///     factor  := ("+" | "-") factor | atom ("^" integer)?
///     atom    := number | name | "{" word "}" | "(" sum ")"
///     name    := linear relu erf sigmoid tanh softplus gelu silu sin cos he0 … he40 he{word}
///
/// Polynomials are recognised by exact rational arithmetic, whatever way they are written.
/// \param text   the expression, such as "he3+0.5*he5"; it becomes the activation's name
/// \param values the value of every brace parameter that the text names
/// \throws parse_error at a fault of the text; an unknown name lists the nearest known ones
activation parse_activation(std::string_view text, const brace_parameters& values = {});

/// The brace parameters that a text names, each once, in the order of their first appearance.
std::vector<std::string> brace_parameters_of(std::string_view text);

}  // namespace loradyn
