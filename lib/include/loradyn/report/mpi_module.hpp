#pragma once

/// \file
/// What a program needs of MPI, from a module that is loaded when a launcher started it: bytes
/// from rank to rank. MPI's libraries are the module's alone.

#include <cstddef>

namespace loradyn {

/// What the module of MPI offers to who loads it.
struct mpi_calls {
  /// Starts MPI, and tells this rank and their number.
  void (*start)(int* rank, int* size);
  /// As MPI's.
  void (*finish)();
  /// As MPI's.
  void (*send)(const void* bytes, std::size_t count, int to, int tag);
  /// Whether a message waits, from any rank where `from` is negative.
  bool (*probe)(int from, int tag, int* sender, std::size_t* count);
  /// As MPI's.
  void (*receive)(void* bytes, std::size_t count, int from, int tag);
};

/// The module's one symbol is a const mpi_calls of this name.
inline constexpr const char* mpi_calls_symbol = "loradyn_mpi_calls";

}  // namespace loradyn
