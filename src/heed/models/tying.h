// Which weights a model shares.
#pragma once

namespace heed {

// Which of source embedding, target embedding and output are one weight (Press & Wolf 2017).
enum class Tying { all, target, none };

}  // namespace heed
