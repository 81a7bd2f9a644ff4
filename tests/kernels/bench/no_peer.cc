// In place of hnswlib_peer.cc where its header is not installed.
#include "tests/kernels/bench/peer.h"

namespace quire::bench {

struct Peer::Space {};

bool Peer::has(Metric) { return false; }

Peer::Peer(Metric, std::size_t) {}

Peer::~Peer() = default;

}  // namespace quire::bench
