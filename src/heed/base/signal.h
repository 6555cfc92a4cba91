// Ctrl-C and termination as a question that long work asks between two steps.
#pragma once

namespace heed {

// From now on SIGINT, SIGTERM and SIGHUP (the terminal was closed; unless it is ignored) set a flag instead
// of ending the process; each a second time ends it as usual. `message`, which must live on, is written to
// standard error when one comes.
void watch_interrupts(const char* message = "");

// True after such a signal, until forget_interrupt().
bool interrupted();
void forget_interrupt();

}  // namespace heed
