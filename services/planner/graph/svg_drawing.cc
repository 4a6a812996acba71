#include "services/planner/graph/svg_drawing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace kinora {
namespace {

// In pixels; a letter of 12 px monospace is a good 7 wide.
constexpr size_t kLetter = 8;
constexpr size_t kPadding = 12;
constexpr size_t kHeight = 28;
constexpr size_t kRowGap = 12;
constexpr size_t kColumnGap = 60;
constexpr size_t kMargin = 16;

struct Place {
  size_t column = 0;
  size_t x = 0;
  size_t y = 0;
  size_t width = 0;
};

// A box's column is one after the last of those that lead to it.
std::vector<Place> PlaceBoxes(
    const std::vector<SvgBox>& boxes,
    const std::vector<std::pair<size_t, size_t>>& arrows) {
  std::vector<Place> places(boxes.size());
  std::vector<std::vector<size_t>> next(boxes.size());
  std::vector<size_t> waiting(boxes.size(), 0);
  for (const std::pair<size_t, size_t>& arrow : arrows) {
    next[arrow.first].push_back(arrow.second);
    ++waiting[arrow.second];
  }
  std::vector<size_t> ready;
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (waiting[i] == 0) ready.push_back(i);
  }
  for (size_t done = 0; done < ready.size(); ++done) {
    for (size_t to : next[ready[done]]) {
      places[to].column =
          std::max(places[to].column, places[ready[done]].column + 1);
      if (--waiting[to] == 0) ready.push_back(to);
    }
  }
  std::vector<size_t> widths;
  std::vector<size_t> rows;
  for (size_t i = 0; i < boxes.size(); ++i) {
    Place& place = places[i];
    if (place.column >= widths.size()) {
      widths.resize(place.column + 1, 0);
      rows.resize(place.column + 1, 0);
    }
    place.width = boxes[i].label.size() * kLetter + 2 * kPadding;
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

std::string DrawSvg(const std::vector<SvgBox>& boxes,
                    const std::vector<std::pair<size_t, size_t>>& arrows) {
  std::vector<Place> places = PlaceBoxes(boxes, arrows);
  size_t width = 0;
  size_t height = 0;
  for (const Place& place : places) {
    width = std::max(width, place.x + place.width);
    height = std::max(height, place.y + kHeight);
  }
  std::string text = absl::StrCat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width + kMargin,
      "\" height=\"", height + kMargin,
      "\" font-family=\"monospace\" font-size=\"12\">\n"
      "<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" "
      "refX=\"7\" "
      "refY=\"4\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n"
      "<g fill=\"none\" stroke=\"#888\">\n");
  for (const std::pair<size_t, size_t>& arrow : arrows) {
    const Place& from = places[arrow.first];
    const Place& to = places[arrow.second];
    size_t x1 = from.x + from.width;
    size_t y1 = from.y + kHeight / 2;
    size_t y2 = to.y + kHeight / 2;
    absl::StrAppend(&text, "<path d=\"M", x1, " ", y1, " C", x1 + 30, " ", y1,
                    " ", to.x - 30, " ", y2, " ", to.x, " ", y2,
                    "\" marker-end=\"url(#tip)\"/>\n");
  }
  text += "</g>\n";
  for (size_t i = 0; i < boxes.size(); ++i) {
    const Place& place = places[i];
    absl::StrAppend(&text, "<rect x=\"", place.x, "\" y=\"", place.y,
                    "\" width=\"", place.width, "\" height=\"", kHeight,
                    "\" rx=\"", boxes[i].is_round ? kHeight / 2 : 3,
                    "\" fill=\"#fff\" stroke=\"#000\"/><text x=\"",
                    place.x + kPadding, "\" y=\"", place.y + 18, "\">",
                    Escaped(boxes[i].label), "</text>\n");
  }
  text += "</svg>\n";
  return text;
}

}  // namespace kinora
