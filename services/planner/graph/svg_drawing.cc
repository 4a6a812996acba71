#include "services/planner/graph/svg_drawing.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace kinora {
namespace {

// In pixels; a letter of 12 px monospace is a good 7 wide.
constexpr int kLetter = 8;
constexpr int kPadding = 12;
constexpr int kHeight = 28;
constexpr int kRowGap = 12;
constexpr int kColumnGap = 60;
constexpr int kMargin = 16;
// Labels of arrows are smaller, and stand beside the box that decides.
constexpr int kLabelLetter = 6;
constexpr int kLabelHeight = 11;
constexpr int kLabelGap = 6;

struct Place {
  size_t column = 0;
  int x = 0;
  int y = 0;
  int width = 0;
  int label_x = 0;  // beside this box and the one below
};

// Puts each box one column after the last of those that lead to it. In a circle
// the first box goes first.
void FindColumns(const Drawing& drawing, std::vector<Place>* places) {
  std::vector<std::vector<size_t>> next(drawing.boxes.size());
  std::vector<size_t> waiting(drawing.boxes.size(), 0);
  for (const Arrow& arrow : drawing.arrows) {
    if (arrow.from == arrow.to) continue;
    next[arrow.from].push_back(arrow.to);
    ++waiting[arrow.to];
  }
  std::vector<size_t> ready;
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i] == 0) ready.push_back(i);
  }
  std::vector<bool> placed(waiting.size(), false);
  size_t first_unplaced = 0;
  for (size_t done = 0;; ++done) {
    if (done == ready.size()) {
      while (first_unplaced < placed.size() && placed[first_unplaced]) {
        ++first_unplaced;
      }
      if (first_unplaced == placed.size()) return;
      ready.push_back(first_unplaced);
    }
    const size_t box = ready[done];
    if (placed[box]) continue;
    placed[box] = true;
    for (size_t to : next[box]) {
      if (placed[to]) continue;
      (*places)[to].column =
          std::max((*places)[to].column, (*places)[box].column + 1);
      if (--waiting[to] == 0) ready.push_back(to);
    }
  }
}

std::vector<Place> PlaceBoxes(const Drawing& drawing) {
  std::vector<Place> places(drawing.boxes.size());
  FindColumns(drawing, &places);
  std::vector<int> widths;
  std::vector<int> gaps;
  std::vector<int> rows;
  for (size_t i = 0; i < places.size(); ++i) {
    Place& place = places[i];
    if (place.column >= widths.size()) {
      widths.resize(place.column + 1, 0);
      gaps.resize(place.column + 1, kColumnGap);
      rows.resize(place.column + 1, 0);
    }
    place.width = static_cast<int>(drawing.boxes[i].label.size()) * kLetter +
                  2 * kPadding;
    widths[place.column] = std::max(widths[place.column], place.width);
    place.y = kMargin + rows[place.column]++ * (kHeight + kRowGap);
  }
  // Room for the labels that stand behind the boxes of a column.
  for (const Arrow& arrow : drawing.arrows) {
    if (arrow.decides.empty()) continue;
    int& gap = gaps[places[arrow.from].column];
    const int label = static_cast<int>(arrow.decides.size()) * kLabelLetter;
    gap = std::max(gap, label + 4 * kLabelGap);
  }
  for (Place& place : places) {
    place.x = kMargin;
    for (size_t c = 0; c < place.column; ++c) place.x += widths[c] + gaps[c];
    place.label_x = place.x + place.width + kLabelGap;
  }
  std::vector<Place*> above(widths.size(), nullptr);
  for (Place& place : places) {
    Place*& before = above[place.column];
    if (before != nullptr) {
      before->label_x =
          std::max(before->label_x, place.x + place.width + kLabelGap);
    }
    before = &place;
  }
  return places;
}

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Curve(int x1, int y1, int x2, int y2) {
  return absl::StrCat("<path d=\"M", x1, " ", y1, " C", x1 + 30, " ", y1, " ",
                      x2 - 30, " ", y2, " ", x2, " ", y2,
                      "\" marker-end=\"url(#tip)\"/>\n");
}

// Where values are read: from the middle of a box to that of another.
std::string DrawReads(const Drawing& drawing,
                      const std::vector<Place>& places) {
  std::string text = "<g fill=\"none\" stroke=\"#888\">\n";
  for (const Arrow& arrow : drawing.arrows) {
    if (!arrow.decides.empty()) continue;
    const Place& from = places[arrow.from];
    const Place& to = places[arrow.to];
    text += Curve(from.x + from.width, from.y + kHeight / 2, to.x,
                  to.y + kHeight / 2);
  }
  return text + "</g>\n";
}

// Where values decide: dotted, a little lower. Many arrows of one box may say
// the same, so it stands once, beside the box.
std::string DrawDecides(const Drawing& drawing,
                        const std::vector<Place>& places) {
  constexpr int kLower = kHeight / 2 + 7;
  std::string arrows;
  std::string labels;
  std::map<size_t, std::set<std::string>> said;
  for (const Arrow& arrow : drawing.arrows) {
    if (arrow.decides.empty()) continue;
    const Place& from = places[arrow.from];
    const Place& to = places[arrow.to];
    const int x = from.x + from.width;
    arrows += Curve(x, from.y + kLower, to.x, to.y + kLower);
    std::set<std::string>& before = said[arrow.from];
    if (!before.insert(arrow.decides).second) continue;
    const int y =
        from.y + kLower + static_cast<int>(before.size()) * kLabelHeight;
    absl::StrAppend(&labels, "<text x=\"", from.label_x, "\" y=\"", y, "\">",
                    Escaped(arrow.decides), "</text>\n");
  }
  if (arrows.empty()) return "";
  return absl::StrCat(
      "<g fill=\"none\" stroke=\"#36c\" stroke-dasharray=\"2 3\">\n", arrows,
      "</g>\n<g fill=\"#36c\" font-size=\"10\" stroke=\"#fff\" "
      "stroke-width=\"3\" paint-order=\"stroke\">\n",
      labels, "</g>\n");
}

}  // namespace

std::string DrawSvg(const Drawing& drawing) {
  const std::vector<Place> places = PlaceBoxes(drawing);
  int width = 0;
  int height = 0;
  for (const Place& place : places) {
    width = std::max(width, place.x + place.width);
    height = std::max(height, place.y + kHeight);
  }
  // Labels may stand below the last box.
  const bool any_label =
      std::any_of(drawing.arrows.begin(), drawing.arrows.end(),
                  [](const Arrow& arrow) { return !arrow.decides.empty(); });
  if (any_label) height += 2 * kLabelHeight;
  std::string text = absl::StrCat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width + kMargin,
      "\" height=\"", height + kMargin,
      "\" font-family=\"monospace\" font-size=\"12\">\n"
      "<title>",
      Escaped(drawing.title),
      "</title>\n<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" "
      "refX=\"7\" "
      "refY=\"4\" orient=\"auto\"><path d=\"M0 0 8 4 0 "
      "8z\"/></marker></defs>\n",
      DrawReads(drawing, places), DrawDecides(drawing, places));
  for (size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const Box& box = drawing.boxes[i];
    absl::StrAppend(&text, "<rect x=\"", place.x, "\" y=\"", place.y,
                    "\" width=\"", place.width, "\" height=\"", kHeight,
                    "\" rx=\"", box.is_input ? kHeight / 2 : 3,
                    "\" fill=\"#fff\" stroke=\"#000\"",
                    box.is_deferred ? " stroke-dasharray=\"5 4\"" : "",
                    "/><text x=\"", place.x + kPadding, "\" y=\"", place.y + 18,
                    "\">", Escaped(box.label), "</text>\n");
  }
  text += "</svg>\n";
  return text;
}

}  // namespace kinora
