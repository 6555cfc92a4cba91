// One self-contained HTML page: styles and script of heed's own within it, nothing fetched (its policy
// forbids it), for wide and narrow screens, light and dark. Without scripts everything is there but the
// values under the pointer.
#pragma once

#include <string>

namespace heed::view {

// `title` is plain text, `body` markup. The markup is XML as well as HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace heed::view
