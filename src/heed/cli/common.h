// What the commands share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "heed/text/line_reader.h"
#include "heed/train/saved_model.h"
#include "heed/view/attention.h"

namespace heed::cli {

// Options of every command that runs a model.
struct RuntimeOptions {
  int64_t threads = 0;
  Precision precision = Precision::automatic;

  void visit(ConfigVisitor& v) {
    v("threads", threads, "threads; 0: one a processor; results do not depend on it", between(0, 1024));
    v("precision", precision, {"auto", "f32", "bf16"},
      "type of activations; auto: what the model was trained with, or the fastest without one");
  }
};

// Every part of texts that may each hold several, with commas between.
std::vector<std::string> split_at_commas(const std::vector<std::string>& texts);

// What standard output can show.
view::TerminalStyle terminal_style();

// Empty, "-" or the system's names for them: standard input or output instead of a file.
bool is_stream(const std::string& path);

// A file, plain or .gz, or standard input.
LineReader open_input(const std::string& path);

// Gives the lines to `work` in their order, `block` at a time, and fewer at the end or where no more come for
// now: who types them, or a program that writes one and waits, wants an answer.
void for_blocks_of_lines(LineReader& reader, int64_t block,
                         const std::function<void(const std::vector<std::string>& lines)>& work);

// Tells the user something on standard error; an empty text is nothing to tell.
void remark(const std::string& text);

// Writes to standard output, or to a file that appears whole at the end.
class Output {
 public:
  explicit Output(const std::string& path);
  ~Output();
  void write(const std::string& text);
  void line(const std::string& text) { write(text + '\n'); }
  void flush();
  void commit();  // to be called when all is written

 private:
  struct File;
  std::unique_ptr<File> file_;
};

}  // namespace heed::cli
