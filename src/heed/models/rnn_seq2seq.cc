#include "heed/models/rnn_seq2seq.h"

#include <fmt/format.h>

#include <utility>

#include "heed/models/passes.h"
#include "heed/ops/attention_decoder.h"
#include "heed/ops/norm.h"
#include "heed/ops/output.h"
#include "heed/ops/rows.h"

namespace heed {

using kernels::Activation;
using kernels::Cell;

namespace {

Var add(Context& c, const Var& x, const Var& y, const Layout& layout) {
  return residual(c, x, y, DropoutSite(), layout);
}

Var of_layer(const std::vector<Var>& states, size_t layer) {
  return states.empty() ? Var() : states[layer];
}

Score score_of(RnnAttention attention) {
  switch (attention) {
    case RnnAttention::dot:
      return Score::dot;
    case RnnAttention::scaled_dot:
      return Score::scaled_dot;
    case RnnAttention::bilinear:
      return Score::bilinear;
    case RnnAttention::additive:
      return Score::additive;
    case RnnAttention::none:
      break;
  }
  fail("a model without attention has no scores");
}

}  // namespace

RnnSeq2Seq::RnnSeq2Seq(const RnnConfig& config, int64_t source_words, int64_t target_words,
                       std::optional<uint64_t> seed)
    : config_(config),
      store_(seed),
      context_dropout_(store_.dropout_site("context.dropout", config.context_dropout)),
      output_dropout_(store_.dropout_site("output.dropout", config.output_dropout)) {
  config.check(source_words, target_words);
  const int64_t e = config.embedding, h = config.width, m = config.bidirectional ? 2 * h : h;
  const int64_t encoder_layers = layers_of(config.encoder_layers, config.layers);
  const int64_t decoder_layers = layers_of(config.decoder_layers, config.layers);

  words_ = WordWeights(store_, {.tying = config.tying,
                                .output_bias = config.output_bias,
                                .width = e,
                                .source_words = source_words,
                                .target_words = target_words});
  source_options_.dropout = store_.dropout_site("source.embedding.dropout", config.embedding_dropout);
  target_options_.dropout = store_.dropout_site("target.embedding.dropout", config.embedding_dropout);

  for (int64_t i = 0; i < encoder_layers; ++i) {
    const std::string name = "encoder." + std::to_string(i);
    encoder_.emplace_back(
        store_, name,
        RecurrentLayerOptions{
            .cell = config.cell, .in = i == 0 ? e : m, .width = h, .bidirectional = config.bidirectional});
    // Without attention the last layer hands on its states, as they are.
    if (config.layer_norm && (config.attention != RnnAttention::none || i + 1 < encoder_layers))
      encoder_norms_.emplace_back(store_, name + ".norm", m);
    if (i + 1 < encoder_layers)
      encoder_dropout_.push_back(store_.dropout_site(name + ".dropout", config.layer_dropout));
  }

  if (config.attention != RnnAttention::none) {
    attention_.emplace(
        store_, "attention",
        SourceAttentionOptions{.score = score_of(config.attention),
                               .query_width = h,
                               .memory_width = m,
                               .score_width = config.attention_width > 0 ? config.attention_width : h,
                               .project_values = config.project_values,
                               .window = config.window,
                               .reach = config.window_reach,
                               .monotonic = config.monotonic,
                               .monotonic_noise = config.monotonic_noise});
  }
  for (int64_t i = 0; i < decoder_layers; ++i) {
    const std::string name = "decoder." + std::to_string(i);
    start_hidden_.emplace_back(store_, name + ".start", m, h);
    if (config.cell == Cell::lstm) start_cell_.emplace_back(store_, name + ".start_cell", m, h);
    decoder_.emplace_back(store_, name, config.cell, i == 0 ? e : h, h);
    if (config.layer_norm) decoder_norms_.emplace_back(store_, name + ".norm", h);
    if (i + 1 < decoder_layers)
      decoder_dropout_.push_back(store_.dropout_site(name + ".dropout", config.layer_dropout));
  }
  const int64_t gates = kernels::gates_of(config.cell);
  const LinearOptions beside_inputs{.joined = gates, .bias = false};  // whose products have the bias
  if (attends(AttendWhen::conditional)) conditional_.emplace(store_, "decoder.context", config.cell, m, h);
  if (attends(AttendWhen::before))
    context_input_.emplace(store_, "decoder.context", m, gates * h, beside_inputs);
  if (config.input_feeding) feed_.emplace(store_, "decoder.feed", e, gates * h, beside_inputs);
  head_.emplace(store_, "head", h + (attends() ? m : 0) + (config.output_reads_embedding ? e : 0), e);
}

RnnSeq2Seq::Encoded RnnSeq2Seq::encode(Context& c, const TokenField& source) const {
  const Layout& layout = source.layout;
  Var x = embedding(c, source, *words_.source_embedding, source_options_);  // [R_s, E]
  RecurrentStates states;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    const Var read = i > 0 ? dropout(c, x, encoder_dropout_[i - 1], layout) : x;
    states = encoder_[i](c, read, layout);  // [R_s, M]
    if (!attends() && i + 1 == encoder_.size()) break;
    x = config_.residual && i > 0 ? add(c, x, states.rows, layout) : states.rows;
    if (config_.layer_norm) x = encoder_norms_[i](c, x);
  }
  if (!attends()) {
    // Everything must pass through the last states, of both directions.
    const Var last = concat_columns(c, states.last);  // [B, M]
    return {{}, start(c, dropout(c, last, context_dropout_, layout.one_row_each()))};
  }
  // s_0 = tanh(W mean_i h_i + b), of every model with attention (Sennrich et al. 2017, Nematus); Bahdanau et
  // al. 2015, A.2.2 take the backward state, Luong et al. 2015 the last one.
  const Var memory = dropout(c, x, context_dropout_, layout);
  return {attention_->read(c, memory, layout), start(c, mean_rows(c, memory, layout))};
}

RnnState RnnSeq2Seq::start(Context& c, const Var& summary) const {
  RnnState state;
  for (const Linear& linear : start_hidden_) state.hidden.push_back(linear(c, summary, Activation::tanh));
  for (const Linear& linear : start_cell_) state.cell.push_back(linear(c, summary, Activation::tanh));
  state.query = state.hidden.front();
  if (feed_) state.fed = Var(c.zeros(Shape{summary.rows(), config_.embedding}));
  return state;
}

Var RnnSeq2Seq::recur(Context& c, const Recurrent& cell, const Var& gates, size_t layer, const Layout& layout,
                      RnnState& state) const {
  RecurrentPass pass = cell.pass(gates);
  pass.initial = state.hidden[layer];
  pass.initial_cell = of_layer(state.cell, layer);
  RecurrentStates states = recurrent(c, config_.cell, {pass}, layout);
  state.hidden[layer] = states.last.front();
  if (config_.cell == Cell::lstm) state.cell[layer] = states.last_cell.front();
  return states.rows;  // [N, H]
}

Var RnnSeq2Seq::upper_layers(Context& c, Var x, const Layout& layout, RnnState& state) const {
  if (config_.layer_norm) x = decoder_norms_.front()(c, x);
  for (size_t i = 1; i < decoder_.size(); ++i) {
    const Var read = dropout(c, x, decoder_dropout_[i - 1], layout);
    const Var y = recur(c, decoder_[i], decoder_[i].gates(c, read), i, layout, state);
    x = config_.residual ? add(c, x, y, layout) : y;
    if (config_.layer_norm) x = decoder_norms_[i](c, x);
  }
  return x;
}

RnnSeq2Seq::StepOutputs RnnSeq2Seq::advance(Context& c, const Var& gates, const Layout& layout,
                                            RnnState& state, const Attend& attend) const {
  StepOutputs out;
  Var gates_x = gates;
  if (attends(AttendWhen::before)) {
    out.contexts = attend(state.query);
    gates_x = add(c, gates_x, (*context_input_)(c, out.contexts), layout);
  }
  if (feed_) gates_x = add(c, gates_x, (*feed_)(c, state.fed), layout);
  Var x = recur(c, decoder_.front(), gates_x, 0, layout, state);
  if (attends(AttendWhen::conditional)) {
    out.contexts = attend(x);
    x = recur(c, *conditional_, conditional_->gates(c, out.contexts), 0, layout, state);
  }
  state.query = x;
  out.states = upper_layers(c, x, layout, state);
  if (attends(AttendWhen::after)) out.contexts = attend(out.states);
  return out;
}

RnnSeq2Seq::StepOutputs RnnSeq2Seq::advance_at_once(Context& c, const Var& gates, const Layout& layout,
                                                    const Encoded& encoded) const {
  RnnState state = encoded.start;
  const RecurrentPass first = decoder_.front().pass(gates);
  const RecurrentPass reader = conditional_ ? conditional_->pass({}) : first;  // of the context
  const Var& memory = encoded.memory.values;                                   // [R_s, M]
  AttentionDecoderInputs in;
  in.cell = config_.cell;
  in.gates_x = gates;
  if (conditional_) {
    in.first_weight = first.weight;
    in.first_bias = first.bias;
  }
  in.query_weight = attention_->query_weight();
  in.score = attention_->score_weight();
  in.keys = encoded.memory.keys;
  in.memory = memory;
  in.context_gates = conditional_ ? conditional_->gates(c, memory) : (*context_input_)(c, memory);
  in.weight = reader.weight;
  in.bias = reader.bias;
  in.initial = state.hidden.front();
  in.initial_cell = of_layer(state.cell, 0);
  const AttentionDecoderStates out = attention_decoder(c, in, layout, encoded.memory.layout);
  return {upper_layers(c, out.states, layout, state), out.contexts};
}

Var RnnSeq2Seq::attentional(Context& c, const StepOutputs& outputs, const Var& y) const {
  std::vector<Var> read = {outputs.states};
  if (attends()) read.push_back(outputs.contexts);
  if (config_.output_reads_embedding) read.push_back(y);
  return (*head_)(c, concat_columns(c, read), Activation::tanh);
}

Var RnnSeq2Seq::decode(Context& c, const TokenField& inputs, const Encoded& encoded,
                       const AttendRows& other) const {
  const Layout& layout = inputs.layout;
  const Var y = embedding(c, inputs, *words_.target_embedding, target_options_);  // [R_t, E]
  SourceAttention::Place place;
  const AttendRows attend =
      other ? other : [&](const Var& queries, const Layout& rows, std::span<const int32_t>) {
        return (*attention_)(c, queries, rows, encoded.memory, {.place = &place});
      };
  Var out;
  if (is_one_op() && !other) {
    out = attentional(c, advance_at_once(c, decoder_.front().gates(c, y), layout, encoded), y);
  } else if (goes_by_steps()) {
    out = decode_by_steps(c, y, layout, encoded.start, attend);
  } else {
    RnnState state = encoded.start;
    const StepOutputs outputs = advance(c, decoder_.front().gates(c, y), layout, state,
                                        [&](const Var& queries) { return attend(queries, layout, {}); });
    out = attentional(c, outputs, y);
  }
  return dropout(c, out, output_dropout_, layout);
}

namespace {

// The rows of one position of a batch.
struct Step {
  std::vector<int32_t> rows;    // in the batch
  std::vector<int32_t> before;  // where each one's sentence stood among the rows of the step before
  Layout layout;                // each row its own sentence
  Layout in_batch;              // the batch's sentences, those that have ended with no row
};

std::vector<Step> steps_of(const Layout& layout) {
  std::vector<Step> steps;
  std::vector<int32_t> place(static_cast<size_t>(layout.sentences()));
  for (size_t b = 0; b < place.size(); ++b) place[b] = static_cast<int32_t>(b);
  for (int32_t t = 0; t < layout.longest(); ++t) {
    Step& step = steps.emplace_back();
    for (int64_t b = 0; b < layout.sentences(); ++b) {
      if (t >= layout.length(b)) continue;
      int32_t& stood = place[static_cast<size_t>(b)];
      step.before.push_back(std::exchange(stood, static_cast<int32_t>(step.rows.size())));
      step.rows.push_back(layout.begin(b) + t);
    }
    step.in_batch = layout.rows_at(t);
    step.layout = step.in_batch.rows_alone();
  }
  return steps;
}

// The state of the sentences that go on.
void keep(Context& c, RnnState& state, const std::vector<int32_t>& rows) {
  if (state.query.rows() == static_cast<int64_t>(rows.size())) return;
  state.for_each([&](Var& x) { x = gather_rows(c, {x}, rows); });
}

}  // namespace

Var RnnSeq2Seq::decode_by_steps(Context& c, const Var& y, const Layout& layout, RnnState state,
                                const AttendRows& attend) const {
  std::vector<int32_t> place(static_cast<size_t>(layout.rows()));  // of each row among the steps' rows
  int32_t placed = 0;
  const std::vector<Step> steps = steps_of(layout);
  std::vector<std::vector<int32_t>> rows;
  for (const Step& step : steps) rows.push_back(step.rows);
  const std::vector<Var> gates = split_rows(c, decoder_.front().gates(c, y), rows);   // [N, GH] of each step
  const std::vector<Var> read = feed_ ? split_rows(c, y, rows) : std::vector<Var>();  // [N, E]
  std::vector<Var> states, contexts, fed;
  for (size_t t = 0; t < steps.size(); ++t) {
    const Step& step = steps[t];
    for (const int32_t row : step.rows) place[static_cast<size_t>(row)] = placed++;
    keep(c, state, step.before);
    const StepOutputs outputs = advance(c, gates[t], step.layout, state, [&](const Var& queries) {
      return attend(queries, step.in_batch, step.rows);
    });
    if (feed_) {
      fed.push_back(state.fed = attentional(c, outputs, read[t]));
    } else {
      states.push_back(outputs.states);
      contexts.push_back(outputs.contexts);
    }
  }
  if (placed == 0) return y;  // no rows at all
  if (feed_) return gather_rows(c, fed, place);
  return attentional(c, {gather_rows(c, states, place), gather_rows(c, contexts, place)}, y);
}

TokenField RnnSeq2Seq::inputs_of(Context& c, const TokenField& target, const Encoded& encoded,
                                 const ScheduledSampling& sampling) const {
  TokenField inputs = shifted_right(target);
  if (sampling.teacher_forcing >= 1.0) return inputs;
  const InputChoice choice(c, sampling, target.layout);
  const AsInDecoding decoding(c);
  RnnState state = encoded.start;
  SourceAttention::Place place;
  for (const Step& step : steps_of(target.layout)) {
    keep(c, state, step.before);
    TokenField read{{}, step.layout};
    for (const int32_t row : step.rows) read.ids.push_back(inputs.ids[static_cast<size_t>(row)]);
    const Var y = embedding(c, read, *words_.target_embedding, target_options_);  // [N, E]
    const StepOutputs outputs =
        advance(c, decoder_.front().gates(c, y), step.layout, state, [&](const Var& queries) {
          return (*attention_)(c, queries, step.in_batch, encoded.memory, {.place = &place});
        });
    const Var out = attentional(c, outputs, y);  // [N, E]
    if (feed_) state.fed = out;

    std::vector<int32_t> places, rows;  // whose next input is a prediction: in the step, in the batch
    for (size_t i = 0; i < step.rows.size(); ++i) {
      const int32_t next = step.rows[i] + 1;
      if (next == target.layout.rows() || !choice.is_predicted(next)) continue;
      places.push_back(static_cast<int32_t>(i));
      rows.push_back(step.rows[i]);
    }
    const Var some = gather_rows(c, {out}, places);
    const std::vector<int32_t> words =
        choice.predict(c, some.value, rows, *words_.output_weight, words_.output_bias);
    for (size_t i = 0; i < words.size(); ++i) inputs.ids[static_cast<size_t>(rows[i]) + 1] = words[i];
  }
  return inputs;
}

OutputLoss RnnSeq2Seq::loss(Context& c, const TokenField& source, const TokenField& target,
                            const LossOptions& options) const {
  const bool guidable = attends() && attention_->has_softmax();
  GuidedLoss guided(options.guided_attention, target.layout, guidable ? 1 : 0);
  const Encoded encoded = encode(c, source);
  const TokenField inputs = inputs_of(c, target, encoded, options.scheduled_sampling);
  const auto states = [&](const Encoded& read) {
    if (!guided.guides(0)) return decode(c, inputs, read);
    return decode(
        c, inputs, read, [&](const Var& queries, const Layout& rows, std::span<const int32_t> in_batch) {
          return (*attention_)(c, queries, rows, read.memory, {.guided = &guided, .in_batch = in_batch});
        });
  };
  OutputLoss loss = loss_of_passes(
      c, states(encoded), [&] { return states(encode(c, source)); }, *words_.output_weight,
      words_.output_bias, target.ids, options);
  loss.sum = guided.added_to(c, loss.sum);
  return loss;
}

ModelSummary RnnSeq2Seq::summary() const {
  constexpr const char* kScores[] = {"no", "dot", "scaled dot", "bilinear", "additive"};
  constexpr const char* kWhen[] = {"before the step", "within the step", "after the step"};
  const auto encoder = static_cast<int64_t>(encoder_.size()), decoder = static_cast<int64_t>(decoder_.size());
  std::string text = fmt::format("{} {}+{}, width {}, embedding {}, {} attention",
                                 config_.cell == Cell::gru ? "GRU" : "LSTM", encoder, decoder, config_.width,
                                 config_.embedding, kScores[static_cast<int>(config_.attention)]);
  if (config_.monotonic) text += ", monotonic";
  if (attends()) text += fmt::format(" {}", kWhen[static_cast<int>(config_.attend)]);
  if (config_.window == Window::local_m) text += ", a window around the same position";
  if (config_.window == Window::local_p) text += ", a window around a predicted position";
  return {std::move(text),
          "rnn",
          {{"encoder_layers", encoder},
           {"decoder_layers", decoder},
           {"width", config_.width},
           {"embedding", config_.embedding}}};
}

Tensor RnnSeq2Seq::log_probs(Context& c, const TokenField& source, const TokenField& target) const {
  const Encoded encoded = encode(c, source);
  const Var states = decode(c, shifted_right(target), encoded);
  return output_log_probs(c, states.value, *words_.output_weight, words_.output_bias);  // [R_t, V]
}

std::vector<AttentionWeights> RnnSeq2Seq::attention(Context& c, const TokenField& source,
                                                    const TokenField& target) const {
  require(source.layout.sentences() == 1, "attention is shown for one sentence at a time, not {}",
          source.layout.sentences());
  if (!attends()) return {};
  const Encoded encoded = encode(c, source);
  std::vector<float> weights;  // of one row of the target after the other
  SourceAttention::Place place, shown;
  decode(c, shifted_right(target), encoded,
         [&](const Var& queries, const Layout& rows, std::span<const int32_t>) {
           const Tensor seen = attention_->weights(c, queries, rows, encoded.memory, shown).front();
           weights.insert(weights.end(), seen.data<float>(), seen.data<float>() + seen.size());
           return (*attention_)(c, queries, rows, encoded.memory, {.place = &place});
         });
  return {{AttentionKind::source, 0, Tensor::of({1, target.layout.rows(), source.layout.rows()}, weights)}};
}

}  // namespace heed
