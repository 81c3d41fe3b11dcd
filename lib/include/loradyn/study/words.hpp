#pragma once

/// \file
/// What a help tells of a table: its columns, and the words of those that hold texts.

#include <loradyn/study/network.hpp>
#include <loradyn/study/row.hpp>
#include <string>
#include <vector>

namespace loradyn::study {

/// A word that a row may hold.
struct told_word {
  std::string name;     ///< as it is written
  std::string meaning;  ///< in a few words of ASCII; empty where the name says it
};

/// Words of one column.
using word_list = std::vector<told_word>;

/// `outcome` of escape and budget: what a run became.
word_list outcome_words();
/// `outcome` of a simulated run.
word_list simulated_outcome_words();
/// `kind` of an equilibrium.
word_list kind_words();
/// `verdict` of a comparison.
word_list verdict_words();

/// `status` of rates.
word_list search_words();
/// `status` of critical.
word_list critical_words();
/// `status` of escape, and of a cell of a diagram.
word_list escape_words();
/// `status` of budget.
word_list budget_words();
/// `status` of fixed points.
word_list fixed_point_words();
/// `status` of a simulated run; of one that diverged its step follows.
word_list simulated_words();
/// `sim`, the status of a simulated ensemble of a cell.
word_list ensemble_words();
/// `law`, the status of the law over random starts.
word_list law_words();
/// `status` of a comparison; of a law that has none, the law's.
word_list comparison_words();
/// How a stage of a run in time ends.
word_list stage_end_words();

/// The words as a sentence: `ok, imprecise (A is within its rounding error), ...`.
std::string text_of(const word_list& words);

/// Names of columns in a few words. Of entries, whose names end in `_1`, `_1_2` and so on, the
/// first of those that stand together is told; where several quantities have a `_mean`, a `_sd` and
/// so on, these are named once: `t,runs and for each of risk,U_1_1,...: _mean,_sd`.
std::string text_of_columns(const std::vector<std::string>& names);
/// Those of a table.
template <class Row>
std::string text_of_columns(const row_description<Row>& columns) {
  return text_of_columns(columns.names());
}

/// Of a network with two of everything, each matrix of whose state has several entries.
inline constexpr network_shape sizes_of_a_help{2, 2, 2, false, false};

}  // namespace loradyn::study
