// The module by which the program speaks MPI.

#include <mpi.h>

#include <loradyn/report/mpi_module.hpp>

namespace {

void start(int* rank, int* size) {
  int given = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
}

void finish() { MPI_Finalize(); }

void send(const void* bytes, std::size_t count, int to, int tag) {
  MPI_Send(bytes, static_cast<int>(count), MPI_BYTE, to, tag, MPI_COMM_WORLD);
}

bool probe(int from, int tag, int* sender, std::size_t* count) {
  MPI_Status status;
  int there = 0;
  MPI_Iprobe(from < 0 ? MPI_ANY_SOURCE : from, tag, MPI_COMM_WORLD, &there, &status);
  if (there == 0) {
    return false;
  }
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  *sender = status.MPI_SOURCE;
  *count = static_cast<std::size_t>(size);
  return true;
}

void receive(void* bytes, std::size_t count, int from, int tag) {
  MPI_Recv(bytes, static_cast<int>(count), MPI_BYTE, from, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

}  // namespace

extern "C" __attribute__((visibility("default")))
const loradyn::mpi_calls loradyn_mpi_calls = {start, finish, send, probe, receive};
