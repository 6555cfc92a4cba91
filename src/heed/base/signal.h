// Ctrl-C and termination as a question that long work asks between two steps.
#pragma once

namespace heed {

// From now on SIGINT and SIGTERM set a flag instead of ending the process; each a second time ends it as
// usual.
void watch_interrupts();

// True after such a signal, until forget_interrupt().
bool interrupted();
void forget_interrupt();

}  // namespace heed
