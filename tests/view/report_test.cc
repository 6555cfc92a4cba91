#include "heed/view/report.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"
#include "tests/view/markup.h"
#include "tests/view/report_example.h"

namespace heed::view {
namespace {

TEST(Report, HasASectionForAllThereIs) {
  const std::string page = report_page(example_runs());
  EXPECT_EQ(markup_fault(page), "");
  for (const char* text :
       {"<h2>Curves</h2>", "Loss", "Learning rate", "tokens a second", "<h2>How outputs evolved</h2>",
        "<ins>ladder</ins>", "<h2>Attention</h2>", "layer 2, head 4", "<h2>Beam search</h2>",
        ", score -0.280, the winner", "<h2>Token probabilities</h2>", "washes 12 %", "<h2>Configuration</h2>",
        "model.<wbr/>input_<wbr/>feeding", "4 keys are the same in all runs"})
    EXPECT_NE(page.find(text), std::string::npos) << text;
  EXPECT_EQ(report_page(example_runs()), page);
}

TEST(Report, FetchesNothing) {
  const std::string page = report_page(example_runs());
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  for (const char* text : {"src=", "href=", "url(", "@import", "fetch(", "XMLHttp"})
    EXPECT_EQ(page.find(text), std::string::npos) << text;
  for (size_t at = page.find("http://"); at != std::string::npos; at = page.find("http://", at + 1))
    EXPECT_EQ(page.substr(at, 26), "http://www.w3.org/2000/svg");  // a name, not an address
}

TEST(Report, OneEmptyRunIsAPageToo) {
  const std::string page = report_page({{"empty", {}, {}}});
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(page.find("<h2>"), std::string::npos);
  EXPECT_THROW(report_page({}), Error);
}

TEST(Report, TheTitleNamesSixRunsAtMost) {
  const auto title = [](size_t count) {
    std::vector<RunReport> runs;
    for (size_t i = 0; i < count; ++i) runs.push_back({fmt::format("run {}", i + 1), {}, {}});
    const std::string page = report_page(runs);
    const size_t begin = page.find("<h1>") + 4;
    return page.substr(begin, page.find("</h1>") - begin);
  };
  EXPECT_EQ(title(2), "run 1 · run 2");
  EXPECT_NE(title(6).find("run 6"), std::string::npos);
  EXPECT_EQ(title(7), "7 trainings");
}

TEST(Report, HostileTextStaysText) {
  const std::string hostile = "</script><script>alert(\"x\")</script>'&\x01\xff";
  std::vector<RunReport> runs = example_runs();
  runs[0].name = runs[0].configuration[0].first = runs[0].configuration[1].second = hostile;
  runs[0].log.notes = {hostile};
  runs[0].log.validations[3].samples[0] = {hostile, hostile, hostile};
  runs[0].attention[0].source[0] = runs[0].attention[0].heads[1].name = hostile;
  runs[0].beams[0].source = runs[0].beams[0].nodes[3].token = hostile;
  runs[0].outputs[0].tokens[0] = {hostile, NAN, {{hostile, 2}}};
  runs[0].log.updates[5].loss = NAN;
  const std::string page = report_page(runs);
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
}

TEST(BeamPicture, NoTwoHypothesesOverlap) {
  const Scene scene = beam_picture(example_beam());
  std::vector<Rectangle> boxes;
  for (const Mark& mark : scene.marks)
    if (const auto* box = std::get_if<Rectangle>(&mark); box != nullptr && !box->title.empty())
      boxes.push_back(*box);
  ASSERT_EQ(boxes.size(), example_beam().nodes.size());
  for (size_t i = 0; i < boxes.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      EXPECT_TRUE(boxes[i].x >= boxes[j].x + boxes[j].width || boxes[j].x >= boxes[i].x + boxes[i].width ||
                  boxes[i].y >= boxes[j].y + boxes[j].height || boxes[j].y >= boxes[i].y + boxes[i].height)
          << i << " and " << j;
  EXPECT_THROW(beam_picture({"", {{0, "a", 0, BeamState::expanded}}}), Error);
}

// The page as a browser paints it.
class ReportInBrowser : public testing::Test {
 protected:
  // Empty picture and a failure where no browser can be run.
  Picture screenshot(const std::string& file, int width, int height) {
    const std::string image = folder_.path(file + ".png");
    for (const char* browser : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::string command =
          std::string("command -v ") + browser + " >/dev/null && timeout 120 " + browser +
          " --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run"
          " --force-color-profile=srgb --force-device-scale-factor=1 --window-size=" +
          std::to_string(width) + "," + std::to_string(height) + " --user-data-dir='" +
          folder_.path("profile") + "' --screenshot='" + image + "' 'file://" + folder_.path(file) + "' >'" +
          folder_.path("log") + "' 2>&1";
      if (std::system(command.c_str()) == 0 && file_exists(image)) return read_png(read_file(image));
    }
    ADD_FAILURE() << "no headless browser took a picture; install the package chromium\n"
                  << (file_exists(folder_.path("log")) ? read_file(folder_.path("log")) : "");
    return {};
  }

  TemporaryFolder folder_;
};

struct Colours {
  Theme theme;
  Colour series(int index) const { return colour_of(series_paint(index), theme); }
  Colour weight(float value) const { return colour_of({Role::weight, weight_level(value)}, theme); }
};

TEST_F(ReportInBrowser, DesktopInLightColours) {
  write_file(folder_.path("report.html"), report_page(example_runs()));
  const Picture page = screenshot("report.html", 1200, 3400);
  ASSERT_EQ(page.width, 1200);
  const Colours colours{Theme::light};
  // Charts in two columns, both runs in each.
  for (const int run : {0, 1})
    for (const int left : {0, 600})
      EXPECT_GT(page.count(colours.series(run), left, 200, left + 600, 1300), 300) << run;
  // The largest weight of the average's first row fills a cell.
  EXPECT_GT(page.count(colours.weight(example_attention().heads[0].weights[0])), 300);
  // The end of the winning hypothesis is a filled box: long runs of the first series' colour below the
  // charts.
  int longest = 0;
  for (int y = 1500; y < page.height; ++y)
    for (int x = 0, length = 0; x < page.width; ++x) {
      length = page.at(x, y) == colours.series(0) ? length + 1 : 0;
      longest = std::max(longest, length);
    }
  EXPECT_GT(longest, 30);
  EXPECT_EQ(page.count(Colours{Theme::dark}.series(1)), 0);
}

// What `heed attend -o x.html` writes, and a classifier's report, of a text that it attends to and of one
// that another model read which does not attend: each in a frame of its own.
TEST_F(ReportInBrowser, PicturesOfOneSentenceAndOfTexts) {
  const WordWeights text{{"a", "slow", "start", "but", "what", "an", "ending"},
                         {0.02f, 0.07f, 0.06f, 0.05f, 0.22f, 0.15f, 0.43f},
                         "positive",
                         0.94};
  WordWeights plain = text;
  plain.weights.clear();
  RunReport attends{"attends", {}, {}}, does_not{"does not", {}, {}};
  attends.texts = {text};
  does_not.texts = {plain};
  const std::vector<std::string> pages = {words_page(text), attention_page(example_attention()),
                                          report_page({attends}), report_page({does_not})};
  constexpr int kHigh = 700;
  std::string frames = "<!DOCTYPE html><body style=\"margin:0\">";
  for (size_t i = 0; i < pages.size(); ++i) {
    const std::string name = "page" + std::to_string(i) + ".html";
    write_file(folder_.path(name), pages[i]);
    frames += fmt::format(
        "<iframe src=\"{}\" style=\"width:600px;height:{}px;border:0;display:block\"></iframe>", name, kHigh);
  }
  write_file(folder_.path("frames.html"), frames + "</body>");
  const Picture picture = screenshot("frames.html", 600, 4 * kHigh);
  ASSERT_EQ(picture.width, 600);
  const Colours colours{Theme::light};
  const auto shaded = [&](int page, float weight) {
    return picture.count(colours.weight(weight), 0, page * kHigh, 600, (page + 1) * kHigh);
  };
  EXPECT_GT(shaded(0, 1.0f), 500);  // behind the strongest word
  EXPECT_GT(shaded(1, example_attention().heads[0].weights[0]), 300);
  EXPECT_GT(shaded(2, 1.0f), 500);
  EXPECT_EQ(shaded(3, 1.0f), 0);
}

TEST_F(ReportInBrowser, PhoneInDarkColours) {
  // A frame is as narrow as a phone, which windows may not be. In it a script, as a reader would, chooses the
  // second head, and colours the page if it is wider than its screen.
  std::string page = report_page(example_runs());
  const std::string script =
      "<script>addEventListener('load', function () { document.querySelectorAll('.small')[1].click();"
      "if (document.documentElement.scrollWidth > innerWidth) document.body.style.background = '#ff00ff'; "
      "});</script>";
  page.insert(page.rfind("</body>"), script);
  write_file(folder_.path("report.html"), page);
  write_file(
      folder_.path("phone.html"),
      "<!DOCTYPE html><body style=\"margin:0\"><iframe src=\"report.html\" style=\"width:390px;height:4600px;"
      "border:0;color-scheme:dark\"></iframe></body>");
  const Picture phone = screenshot("phone.html", 600, 4600);
  ASSERT_EQ(phone.width, 600);
  const Colours colours{Theme::dark};
  EXPECT_EQ(phone.count({255, 0, 255}), 0) << "the page is wider than a phone";
  // One column of charts: both runs left and right of its middle.
  for (const int run : {0, 1})
    for (const int left : {0, 195})
      EXPECT_GT(phone.count(colours.series(run), left, 150, left + 195, 1500), 300) << run;
  // The second head looks straight ahead: large cells along the diagonal, where small ones have but a
  // thousand pixels.
  EXPECT_GT(phone.count(colours.weight(example_attention().heads[1].weights[8 + 1])), 4000);
  EXPECT_EQ(phone.count(Colours{Theme::light}.series(1)), 0);
}

}  // namespace
}  // namespace heed::view
