// SIGINT for verbs that must end in order.
#pragma once

namespace quire::tools {

// From now on SIGINT sets a flag and ends blocked reads; a second one ends the process.
void catch_interrupts();
bool interrupted();
// For the next of several verbs in one process; SIGINT then ends it again.
void forget_interrupts();

// Ignores SIGPIPE (writes report EPIPE instead), and makes sure that descriptors 0 to 2 are taken,
// so that no file of the database can become somebody's standard output.
void prepare_standard_streams();

}  // namespace quire::tools
