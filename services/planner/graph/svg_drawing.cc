#include "services/planner/graph/svg_drawing.h"

#include <algorithm>
#include <cstddef>
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

struct Place {
  size_t column = 0;
  int x = 0;
  int y = 0;
  int width = 0;
};

// Puts each box one column after the last of those that lead to it. In a circle
// the first box goes first.
void FindColumns(const Drawing& drawing, std::vector<Place>* places) {
  std::vector<std::vector<size_t>> next(drawing.boxes.size());
  std::vector<size_t> waiting(drawing.boxes.size(), 0);
  for (const auto& [from, to] : drawing.arrows) {
    if (from == to) continue;
    next[from].push_back(to);
    ++waiting[to];
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
  std::vector<int> rows;
  for (size_t i = 0; i < places.size(); ++i) {
    Place& place = places[i];
    if (place.column >= widths.size()) {
      widths.resize(place.column + 1, 0);
      rows.resize(place.column + 1, 0);
    }
    place.width = static_cast<int>(drawing.boxes[i].label.size()) * kLetter +
                  2 * kPadding;
    widths[place.column] = std::max(widths[place.column], place.width);
    place.y = kMargin + rows[place.column]++ * (kHeight + kRowGap);
  }
  for (Place& place : places) {
    place.x = kMargin;
    for (size_t c = 0; c < place.column; ++c) {
      place.x += widths[c] + kColumnGap;
    }
  }
  return places;
}

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
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
  std::string text = absl::StrCat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width + kMargin,
      "\" height=\"", height + kMargin,
      "\" font-family=\"monospace\" font-size=\"12\">\n"
      "<title>",
      Escaped(drawing.title),
      "</title>\n<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" "
      "refX=\"7\" "
      "refY=\"4\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n"
      "<g fill=\"none\" stroke=\"#888\">\n");
  for (const std::pair<size_t, size_t>& arrow : drawing.arrows) {
    const Place& from = places[arrow.first];
    const Place& to = places[arrow.second];
    const int x1 = from.x + from.width;
    const int y1 = from.y + kHeight / 2;
    const int y2 = to.y + kHeight / 2;
    absl::StrAppend(&text, "<path d=\"M", x1, " ", y1, " C", x1 + 30, " ", y1,
                    " ", to.x - 30, " ", y2, " ", to.x, " ", y2,
                    "\" marker-end=\"url(#tip)\"/>\n");
  }
  text += "</g>\n";
  for (size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const Box& box = drawing.boxes[i];
    absl::StrAppend(&text, "<rect x=\"", place.x, "\" y=\"", place.y,
                    "\" width=\"", place.width, "\" height=\"", kHeight,
                    "\" rx=\"", box.is_input ? kHeight / 2 : 3,
                    "\" fill=\"#fff\" stroke=\"#000\"/><text x=\"",
                    place.x + kPadding, "\" y=\"", place.y + 18, "\">",
                    Escaped(box.label), "</text>\n");
  }
  text += "</svg>\n";
  return text;
}

}  // namespace kinora
