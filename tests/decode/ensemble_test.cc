// Several models as one: probabilities by hand, words numbered otherwise, and each member's own state.
#include "heed/decode/ensemble.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/decode/search.h"
#include "tests/decode/toy_decoder.h"
#include "tests/support/sentences.h"

namespace heed::test {
namespace {

constexpr int32_t A = 3, B = 4, C = 5;
const std::vector<int32_t> kSameIds = {0, 1, 2, A, B, C}, kSourceIds = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

using Table = std::map<Prefix, std::vector<double>>;

EnsembleMember member(Table table, std::vector<int32_t> target_ids = kSameIds,
                      std::vector<int32_t> source_ids = kSourceIds) {
  return {std::make_unique<ToyDecoder>(6, std::move(table)), std::move(source_ids), std::move(target_ids)};
}

EnsembleStepDecoder ensemble_of(EnsembleMember one, EnsembleMember other) {
  std::vector<EnsembleMember> members;
  members.push_back(std::move(one));
  members.push_back(std::move(other));
  return EnsembleStepDecoder(std::move(members));
}

//                            </s> <unk> <s> A    B    C
const Table kOne = {{{9}, {0.0, 0, 0, 0.6, 0.4, 0.0}}, {{9, B}, {0.2, 0, 0, 0.0, 0.0, 0.8}}};
const Table kOther = {{{9}, {0.0, 0, 0, 0.2, 0.7, 0.1}}, {{9, B}, {0.9, 0, 0, 0.0, 0.1, 0.0}}};

std::vector<Hypothesis> found(const StepDecoder& decoder, int64_t beam) {
  Context c(2);
  SearchOptions options;
  options.beam = beam;
  options.length_penalty = 0.0;
  return search(c, decoder, tokens({{9, 0}}), options).at(0);
}

TEST(Ensemble, ATokensProbabilityIsTheMeanOfTheMembers) {
  const EnsembleStepDecoder decoder = ensemble_of(member(kOne), member(kOther));
  // One alone would write A, the other B and nothing more; together B is 0.55, then </s> 0.55.
  EXPECT_EQ(found(*member(kOne).decoder, 1)[0].ids, (Prefix{A}));
  const std::vector<Hypothesis> best = found(decoder, 3);
  ASSERT_EQ(best.size(), 3u);
  EXPECT_EQ(best[0].ids, (Prefix{A}));  // 0.4 * 1
  EXPECT_EQ(best[1].ids, (Prefix{B}));
  EXPECT_EQ(best[2].ids, (Prefix{B, C}));
  const double expected[] = {0.4, 0.55 * 0.55, 0.55 * 0.4};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(std::exp(best[i].log_prob), expected[i], 1e-6) << i;  // f32
  EXPECT_EQ(found(decoder, 1)[0].ids, (Prefix{B}));
}

TEST(Ensemble, MembersMayNumberTheWordsOtherwise) {
  // The other one has 4 for A, 5 for B, 3 for C, and knows the source 9 as 7.
  const Table renamed = {{{7}, {0.0, 0, 0, 0.1, 0.2, 0.7}}, {{7, 5}, {0.9, 0, 0, 0.0, 0.0, 0.1}}};
  const EnsembleStepDecoder plain = ensemble_of(member(kOne), member(kOther)),
                            decoder = ensemble_of(member(kOne), member(renamed, {0, 1, 2, 4, 5, 3},
                                                                       {0, 1, 2, 3, 4, 5, 6, 8, 9, 7}));
  const std::vector<Hypothesis> expected = found(plain, 4), best = found(decoder, 4);
  ASSERT_EQ(best.size(), expected.size());
  for (size_t i = 0; i < best.size(); ++i) {
    EXPECT_EQ(best[i].ids, expected[i].ids) << i;
    EXPECT_EQ(best[i].log_prob, expected[i].log_prob) << i;
  }
}

TEST(Ensemble, CandidatesAreTheBestOfAllWordsWithTheBias) {
  const EnsembleStepDecoder decoder = ensemble_of(member(kOne), member(kOther));
  Context c(1);
  const auto state = decoder.make_state();
  decoder.start(c, *state, tokens({{9, 0}, {8, 0}}));  // what is not written down ends
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  const std::vector<float> bias = {0, 0, 0, 0, kNever, 3, 0, 0, 0, 0, 0, 0};
  const Candidates best = decoder.candidates(c, *state, 3, bias);
  EXPECT_EQ(best.ids, (std::vector<int32_t>{C, A, 0, 0, 1, 2}));  // ties: the smaller id
  EXPECT_NEAR(best.log_probs[0], std::log(0.05) + 3, 1e-6);
  EXPECT_NEAR(best.log_probs[1], std::log(0.4), 1e-6);
  EXPECT_NEAR(best.log_probs[3], 0.0, 1e-6);
  EXPECT_THROW(decoder.candidates(c, *state, 3, std::span(bias).first(6)), Error);
}

// What exp() cannot hold any more is a probability all the same, and no sum of shares comes to more than 1.
TEST(Ensemble, SmallAndSureProbabilitiesStayWhatTheyAre) {
  std::vector<EnsembleMember> members;
  for (int i = 0; i < 11; ++i) members.push_back(member({{{9}, {0, 0, 0, 1.0, 1e-42, 0}}}));
  const EnsembleStepDecoder decoder(std::move(members));
  Context c(1);
  const auto state = decoder.make_state();
  decoder.start(c, *state, tokens({{9, 0}}));
  const std::vector<float> log_probs = decoder.log_probs(c, *state);
  EXPECT_EQ(log_probs[A], 0.0f);
  EXPECT_NEAR(log_probs[B], std::log(1e-42), 1e-4);  // f32 near -97
  EXPECT_EQ(log_probs[C], -std::numeric_limits<float>::infinity());
}

TEST(Ensemble, OutputsAreAsLongAsAllModelsCanRead) {
  struct Short final : ToyDecoder {
    using ToyDecoder::ToyDecoder;
    int64_t longest() const override { return 3; }
  };
  EnsembleMember other{std::make_unique<Short>(6, kOther), kSourceIds, kSameIds};
  EXPECT_EQ(ensemble_of(member(kOne), std::move(other)).longest(), 3);
}

TEST(Ensemble, RefusesWhatIsNoEnsembleAndNoNumber) {
  EXPECT_THROW(EnsembleStepDecoder({}), Error);
  EXPECT_THROW(ensemble_of(member(kOne), member(kOther, {0, 1, 2})), Error);
  EXPECT_THROW(ensemble_of(member(kOne), member(kOther, {0, 1, 2, 3, 4, 6})), Error);
  EnsembleMember smaller{std::make_unique<ToyDecoder>(4, Table()), kSourceIds, {0, 1, 2, A}};
  EXPECT_THROW(ensemble_of(member(kOne), std::move(smaller)), Error);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const EnsembleStepDecoder damaged = ensemble_of(member(kOne), member({{{9}, {0.1, 0, 0, nan, 0.4, 0}}}));
  EXPECT_THROW(found(damaged, 2), InputError);
  const EnsembleStepDecoder decoder = ensemble_of(member(kOne), member(kOther));
  Context c(1);
  const auto state = decoder.make_state();
  EXPECT_THROW(decoder.start(c, *state, tokens({{12, 0}})), InputError);
  decoder.start(c, *state, tokens({{9, 0}}));
  for (const int64_t k : {0, 7}) EXPECT_THROW(decoder.candidates(c, *state, k, {}), Error);
}

}  // namespace
}  // namespace heed::test
