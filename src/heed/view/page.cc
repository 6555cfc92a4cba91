#include "heed/view/page.h"

#include "heed/view/colour.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--ground:#f3f5f8;--card:#fff;--ink:#1b1f26;--muted:#69707c;--rule:#e3e6eb;--soft:#eef2f7;--accent:#0b67b2}
@media (prefers-color-scheme:dark){:root{--ground:#0f1115;--card:#181b21;--ink:#e8eaee;--muted:#9aa1ad;--rule:#343942;--soft:#232833;--accent:#5aa9f2}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 64px}
h1{font-size:26px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:19px;margin:40px 0 12px}
h3{font-size:15px;margin:0 0 8px}
p{margin:0 0 10px}
.note{color:var(--muted);font-size:13px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:14px 16px;margin:0 0 16px;min-width:0}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,max(330px,50% - 8px)),1fr));gap:16px}
.grid .card{margin:0;padding:6px}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
svg{display:block}
.fluid{width:100%;height:auto}
.dot{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:7px}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 16px 5px 0;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--muted);font-weight:500;white-space:nowrap}
tr:last-child td{border-bottom:0}
.number{text-align:right;white-space:nowrap}
table.wide{width:100%}
.overview td:first-child{white-space:nowrap}
.samples .number{width:1%;color:var(--muted)}
.samples{margin-bottom:12px}
h1,h3,.card p,.samples td,.words,.settings td{overflow-wrap:anywhere}
.samples .number{overflow-wrap:normal}
.settings td{min-width:7em}
.figure{display:flex;flex-wrap:wrap;gap:10px 28px;align-items:flex-start}
.large{max-width:100%}
.large svg{max-width:100%;height:auto}
.smalls{display:grid;grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:10px;flex:1 1 340px;min-width:0}
.small{font:inherit;font-size:12px;color:var(--muted);text-align:left;background:none;border:1px solid transparent;border-radius:8px;padding:5px;cursor:pointer;min-width:0}
.small svg{width:100%;height:auto;max-height:130px;background:var(--card);outline:1px solid var(--rule);margin-bottom:4px}
.small:hover,.small:focus-visible{background:var(--soft)}
.small.chosen{border-color:var(--accent);color:var(--ink)}
.words{line-height:2.1}
.words span{padding:3px 4px;border-radius:4px;-webkit-box-decoration-break:clone;box-decoration-break:clone}
.tokens{display:flex;flex-wrap:wrap;gap:6px}
.token{border:1px solid var(--rule);border-radius:8px;padding:4px 9px 5px;min-width:58px}
.token b{font-weight:600;display:block;overflow-wrap:anywhere}
.token small{color:var(--muted);display:block;font-size:12px;white-space:nowrap}
.bar{display:block;height:5px;border-radius:3px;background:var(--soft);overflow:hidden;margin:3px 0 2px}
.bar i{display:block;height:5px;border-radius:3px;background:var(--accent)}
ins{text-decoration:none;background:var(--soft);border-radius:3px;box-shadow:0 0 0 2px var(--soft)}
details summary{cursor:pointer;color:var(--muted);font-size:14px;margin:8px 0}
code{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:break-word}
#tip{position:fixed;z-index:9;pointer-events:none;display:none;max-width:280px;background:var(--ink);color:var(--ground);border-radius:8px;padding:6px 10px;font-size:13px;line-height:1.4;white-space:pre-line;box-shadow:0 4px 16px #0004}
@media (max-width:560px){main{padding:18px 12px 40px}h1{font-size:22px}h2{margin-top:30px}.card{padding:12px}.grid .card{padding:2px}}
)css";

// Three things: what lies under the pointer, the values of a chart at its x, and the chosen head shown large.
constexpr const char* kScript = R"js(
(function () {
  'use strict';
  var tip = document.getElementById('tip');
  function show(event, text) {
    tip.textContent = text;
    tip.style.display = 'block';
    var x = event.clientX + 14, y = event.clientY + 14;
    if (x + tip.offsetWidth > innerWidth - 6) x = Math.max(6, event.clientX - tip.offsetWidth - 14);
    if (y + tip.offsetHeight > innerHeight - 6) y = Math.max(6, event.clientY - tip.offsetHeight - 14);
    tip.style.left = x + 'px';
    tip.style.top = y + 'px';
  }
  function hide() { tip.style.display = 'none'; }
  document.querySelectorAll('svg title').forEach(function (title) {
    title.parentNode.tip = title.textContent;
    title.remove();
  });
  document.addEventListener('pointermove', function (event) {
    var chart = event.target.closest && event.target.closest('svg.chart');
    if (chart) return chartValues(event, chart);
    if (event.target.tip) show(event, event.target.tip); else hide();
  });
  document.addEventListener('pointerleave', hide);
  function chartValues(event, chart) {
    var box = chart.getBoundingClientRect();
    var x = (event.clientX - box.left) * chart.viewBox.baseVal.width / box.width;
    var lines = [];
    chart.querySelectorAll('polyline[data-values]').forEach(function (line) {
      var values = line.getAttribute('data-values').split('|'), best = -1, far = 24;
      for (var i = 0; i < line.points.numberOfItems; ++i) {
        var away = Math.abs(line.points.getItem(i).x - x);
        if (away < far) { far = away; best = i; }
      }
      if (best >= 0) lines.push(line.tip + ' \u00b7 ' + values[best]);
    });
    if (lines.length) show(event, lines.join('\n')); else hide();
  }
  function level(weight) { return Math.round(Math.min(Math.max(weight, 0), 1) * 64); }
  document.querySelectorAll('.figure').forEach(function (figure) {
    var large = figure.querySelector('.large svg'), smalls = figure.querySelectorAll('.small');
    var cells = Array.prototype.filter.call(large.querySelectorAll('rect'), function (r) { return r.tip; });
    smalls.forEach(function (small) {
      small.addEventListener('click', function () {
        smalls.forEach(function (other) { other.classList.toggle('chosen', other === small); });
        large.querySelector('text').textContent = small.textContent;
        var weights = small.getAttribute('data-weights').split(' ');
        cells.forEach(function (cell, i) {
          var weight = weights[i] / 1000, shade = level(weight), number = cell.nextElementSibling;
          cell.setAttribute('class', 'f-w' + shade);
          cell.tip = cell.tip.replace(/[0-9.]+$/, weight.toFixed(3));
          if (!number || number.tagName !== 'text' || !large.hasAttribute('data-numbers')) return;
          number.setAttribute('class', shade * 2 > 64 ? 'f-on1' : 'f-on0');
          number.textContent = weight < 0.005 ? '' : weight >= 0.995 ? '1' : weight.toFixed(2).slice(1);
        });
      });
    });
  });
})();
)js";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; "
         "script-src 'unsafe-inline'\"/>\n<title>" +
         escape_markup(title) + "</title>\n<style>" + kStyle + style_sheet() +
         "</style>\n</head>\n<body>\n<main>\n" + body +
         "</main>\n<div id=\"tip\" role=\"status\"></div>\n<script>" + kScript +
         "</script>\n</body>\n</html>\n";
}

}  // namespace heed::view
