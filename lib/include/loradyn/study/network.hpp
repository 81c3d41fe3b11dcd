#pragma once

/// \file
/// Networks of any width with adapters of any rank: trajectories, escapes and searches
/// (docs/theory.md, section 14).

#include <cstddef>
#include <cstdint>
#include <loradyn/analysis/network_escape.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/dynamics/network_protocol.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/names.hpp>
#include <loradyn/simulation/network_problem.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <loradyn/study/trajectory.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loradyn::study {

/// The largest width or rank that is asked for: larger ones have more overlaps than a table has
/// columns.
inline constexpr std::uint64_t most_neurons = 256;

/// How LoRA's scale falls with the rank: W = W0 + s U V, s = α/r or α/√r.
enum class lora_scaling { rank, root };

/// Their names.
inline constexpr name_table<lora_scaling, 2> lora_scalings{
    {{"rank", lora_scaling::rank}, {"root", lora_scaling::root}}};

/// What of a network is no parameter of the registry.
struct network_layout {
  std::ptrdiff_t width = 1;          ///< K
  std::ptrdiff_t teacher_width = 1;  ///< k
  std::ptrdiff_t rank = 1;           ///< r; K where V alone or all of W trains
  /// The neurons that start at (μ, ν) instead of at their target; without it all.
  std::optional<std::ptrdiff_t> off_target;
  adapter_constraint adapter = adapter_constraint::sphere;
  trained_part trained = trained_part::lora;
  readout_rule readout = readout_rule::sum;
  double decay = 0.0;           ///< ω
  double readout_rate = 0.0;    ///< κ_a
  std::optional<double> alpha;  ///< LoRA's α; without it s = 1
  lora_scaling scaling = lora_scaling::rank;
  std::optional<double> source_overlap;  ///< of the source's targets with the target's
  std::optional<activation> source;      ///< the source's activation, with the overlap
  /// Frozen rows and readouts of the user's own, in the place of ν, the widths and what is derived
  /// of them. A point's μ, unless it is NaN, is the alignment of the first `off_target` neurons
  /// (without it of all), as of `realigned`.
  std::optional<network_geometry> geometry;

  /// What it is to be called where all of W, or V alone, trains: r = K.
  [[nodiscard]] std::ptrdiff_t trained_rank() const {
    return trained == trained_part::lora ? rank : width;
  }
};

/// The numbers of a layout.
layout_numbers numbers_of(const network_layout& layout);
/// The layout with others.
network_layout with_numbers(network_layout layout, const layout_numbers& numbers);

/// What a stage trains on, and how.
struct network_stage_task {
  std::optional<activation> teacher{};  ///< the target's; without it that of the pair
  bool on_source = false;               ///< trained on the source task in the place of the target
  double label_noise = 0.0;             ///< Δ
  double rate_ratio = 1.0;              ///< κ
  std::optional<double> decay{};        ///< ω; without it the layout's
  std::optional<activation> label{};    ///< a polynomial: what it makes of a label and its noise
};

/// Pre-training: all of W0 on a source task of as many targets as the target has, ρ T_i +
/// √(1 - ρ²) ξ_i, of which the first and only stage of this kind says the activation as its
/// teacher.
struct network_pretraining {
  double source_overlap = 1.0;  ///< ρ
  double a = 0.03;              ///< of each neuron with its own source target, at the start
  double gap = 0.0;             ///< what |W0_j|² is more than a², in a direction of its own
};

/// A stage of a run in time.
struct network_training_stage {
  network_stage_task task{};
  double noise_scale = 0.0;                      ///< γ
  bool flips = false;                            ///< U -> -U before it begins
  std::optional<double> duration{};              ///< in raw time
  std::optional<network_overlap_event> until{};  ///< with a duration: whichever comes first
  std::optional<network_pretraining> pretrains{};
};

/// A stage of a simulation.
struct network_simulated_stage {
  network_stage_task task{};
  double learning_rate = 0.1;
  std::uint64_t steps = 1000;
  bool flips = false;  ///< U -> -U before its first step
};

/// Where a run is to start that goes on from another's end; the readouts are the geometry's.
struct network_given_start {
  std::optional<Eigen::MatrixXd> U{};  ///< for trained_part::lora
  Eigen::MatrixXd C;                   ///< V E'
  Eigen::MatrixXd P;                   ///< V V' - C C'
};

/// V's start: drawn in d dimensions as run 0 of a simulation of this seed, or along the gradient of
/// one batch that is drawn so. Where all of W trains it is W0, or from scratch rows of norm
/// `scale`.
struct network_start_request {
  std::uint64_t dimension = 1000;
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> one_step_batch;
  double scale = 0.1;
  std::optional<network_given_start> given{};  ///< in the place of what is drawn, and of u0
};

/// What is simulated, in batches of one and for one step until it is told otherwise; its start is
/// random or after one batch. \param at all but γ, which batch and learning rate make
/// \param u0 every entry of U at the start; 1/d² where empty, after a one-step start 0
/// \throws argument_error for what does not fit together
network_problem simulated_problem(const activation_pair& pair, const network_layout& layout,
                                  const network_start_request& start, const parameter_point& at,
                                  const std::optional<double>& u0);

/// Its limit as d -> ∞.
network_flow flow_of(const network_problem& problem, const network_layout& layout,
                     double noise_scale);

/// The limit of a stage. \param trained what is simulated, as_adapter
/// \throws argument_error for a stage on a source task that there is none of
network_tuning_stage stage_of(const network_problem& trained, const activation_pair& pair,
                              const network_layout& layout, const network_training_stage& stage);

/// A flow and where it starts.
struct network_point {
  network_flow flow;
  network_state start;
};

/// \param at μ, ν, γ, Δ, κ and u0, the value of every entry of U
/// \throws argument_error for what does not fit together
network_point network_at(const activation_pair& pair, const network_layout& layout,
                         const network_start_request& start, const parameter_point& at);

/// The sizes that name the columns of a state's entries.
struct network_shape {
  std::ptrdiff_t width = 1;
  std::ptrdiff_t rank = 1;
  std::ptrdiff_t teacher_width = 1;
  bool has_source = false;
  bool trains_readouts = false;
};
/// The sizes of its tables' matrices.
network_shape shape_of(const network_layout& layout);
/// From the names of a table's columns; nothing where it is none of a network's states.
std::optional<network_shape> shape_of(const std::vector<std::string>& columns);

/// A state as a table tells it: the matrices row after row.
struct network_record {
  double samples = 0.0;  ///< t d/γ samples seen; NaN at γ = 0
  double risk = 0.0;
  double source_risk = 0.0;
  double mean_overlap = 0.0;  ///< of |<W_j, T_i>|, each neuron with its own target
  std::vector<double> U;      ///< K x r
  std::vector<double> M;      ///< W T', K x k
  std::vector<double> m;      ///< V T', r x k
  std::vector<double> S;      ///< V V', the rows of its lower triangle
  std::vector<double> a;      ///< the readouts, where they train
};

/// What a table tells of a state, after so many samples.
network_record record_of(const network_flow& f, const network_state& x, double samples);
/// The columns of a state.
row_description<network_record> record_columns(const network_shape& shape);

/// The state at a time.
struct network_trajectory_row {
  double t = 0.0;
  network_record at;
  std::size_t stage = 1;  ///< counted from 1
};
/// The columns of `trajectory`.
row_description<network_trajectory_row> network_trajectory_columns(const network_shape& shape);

/// One run in time.
struct network_trajectory_problem {
  activation_pair pair;
  network_layout layout;
  network_start_request start;
  parameter_point at;
  std::optional<double> end;  ///< in raw time; without it, where the last stage ends
  record_times record;
  integration_options integrator;
  std::optional<double> learning_rate;  ///< of the map, in the place of the flow
  /// In the place of γ, Δ and κ; where there are none, one that ends with the run.
  std::vector<network_training_stage> stages{};
};

/// Its states, and how it ended.
struct network_trajectory_result {
  std::vector<network_trajectory_row> rows;
  std::vector<stage_summary> stages;  ///< in the unit of the table
  network_state end;
  network_geometry geometry;  ///< the frozen rows, and the readouts at the end
  bool complete = false;      ///< every stage ended by its duration or its event
  double noise_error =
      0.0;  ///< of the trace of Σ at the start and the end, the larger relative one
  std::string noise_method;  ///< by which it was found; empty at γ = 0
};
/// Follows the flow, or its map, and records it. While a first stage pre-trains U, m and S are
/// those that the next begins with, and the risk is that on the source. \throws argument_error as
/// `network_at` and the protocol's validate()
network_trajectory_result trajectory(const network_trajectory_problem& problem);

/// One escape: when the event was met, and where the run ended.
struct network_escape_row {
  row_key key;
  double tau = 0.0;
  double t_hit = 0.0;
  double samples = 0.0;  ///< t_hit d/γ, and those of a one-step start
  std::string outcome;
  std::string status;
  network_record end;
  law_values law;
};
/// The columns of `escape`; the law's where there are quantiles.
row_description<network_escape_row> network_escape_columns(
    const network_shape& shape, const std::optional<std::vector<double>>& quantiles);

/// Escape times over a grid of parameters.
struct network_escape_problem {
  std::vector<activation_pair> pairs;
  parameter_grid grid;
  network_layout layout;
  network_start_request start;
  network_overlap_event event;
  integration_options integrator;                ///< its end time in the unit of the table
  std::optional<std::vector<double>> quantiles;  ///< of the law at the start's dimension
};

/// A row for each pair and point of the grid; those of the first points where it is stopped. What
/// fails is told by a row's status.
/// \throws argument_error where the event, the layout or the start do not fit together
std::vector<network_escape_row> escape(const network_escape_problem& problem,
                                       const study_control& control);

/// A growing mode of the search; one row without a rate where there is none.
struct network_rates_row {
  row_key key;
  std::int64_t mode = 0;  ///< counted from 1, the fastest first
  double lambda = 0.0;
  double tau = 0.0;
  double pull = 0.0;      ///< |G0|, which vanishes at critical alignments
  std::vector<double> u;  ///< how it moves the neurons
  std::vector<double> m;  ///< and how far along each target
  std::string status;
};
/// The columns of `rates`.
row_description<network_rates_row> network_rates_columns(const network_shape& shape);

/// The modes of the search over a grid of parameters.
struct network_rates_problem {
  std::vector<activation_pair> pairs;
  parameter_grid grid;
  network_layout layout;
};
/// The modes that grow, of each combination of parameters.
std::vector<network_rates_row> rates(const network_rates_problem& problem,
                                     const study_control& control);

}  // namespace loradyn::study
