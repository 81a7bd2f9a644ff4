#include "tools/bench/vector/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace quire::bench {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 400;
constexpr double kLeft = 70;
constexpr double kRight = 130;
constexpr double kTop = 40;
constexpr double kBottom = 50;
constexpr double kRecalls[] = {0.8, 0.9, 0.95, 0.99, 0.999};
constexpr const char* kColours[] = {"#0b6", "#c33", "#36c", "#a60", "#639"};

// What is missed, but not nothing.
double missed(double recall) { return std::log10(std::max(1 - recall, 1e-4)); }

struct Scale {
  double low_qps;
  double high_qps;
  double x(double recall) const {
    const double from = missed(0.75);
    const double to = missed(0.9995);
    return kLeft + (missed(recall) - from) / (to - from) * (kWidth - kLeft - kRight);
  }
  double y(double qps) const {
    const double part =
        (std::log10(qps) - std::log10(low_qps)) / (std::log10(high_qps) - std::log10(low_qps));
    return kHeight - kBottom - part * (kHeight - kTop - kBottom);
  }
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string text_at(double x, double y, const std::string& words, const char* anchor) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         words + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" stroke=\"#ddd\"/>\n";
}

std::string grid(const Scale& scale) {
  std::string svg;
  for (const double recall : kRecalls) {
    char label[16];
    std::snprintf(label, sizeof label, "%g", recall);
    svg += line(scale.x(recall), kTop, scale.x(recall), kHeight - kBottom);
    svg += text_at(scale.x(recall), kHeight - kBottom + 18, label, "middle");
  }
  for (double qps = scale.low_qps; qps <= scale.high_qps * 1.001; qps *= 10) {
    for (const double step : {1.0, 2.0, 5.0}) {
      if (qps * step > scale.high_qps * 1.001) continue;
      svg += line(kLeft, scale.y(qps * step), kWidth - kRight, scale.y(qps * step));
      char label[16];
      std::snprintf(label, sizeof label, "%g", qps * step);
      svg += text_at(kLeft - 6, scale.y(qps * step) + 4, label, "end");
    }
  }
  return svg;
}

}  // namespace

double qps_at(const Curve& curve, double recall) {
  for (std::size_t i = 0; i < curve.points.size(); ++i) {
    const Point& after = curve.points[i];
    if (after.recall < recall) continue;
    if (i == 0) return after.qps;
    const Point& before = curve.points[i - 1];
    const double part =
        (missed(recall) - missed(before.recall)) / (missed(after.recall) - missed(before.recall));
    return std::exp(std::log(before.qps) + part * (std::log(after.qps) - std::log(before.qps)));
  }
  return 0;
}

std::string plot_svg(const std::string& title, const std::vector<Curve>& curves) {
  double low = 1e12;
  double high = 1;
  for (const Curve& curve : curves)
    for (const Point& point : curve.points) {
      low = std::min(low, point.qps);
      high = std::max(high, point.qps);
    }
  const Scale scale{std::pow(10, std::floor(std::log10(low))),
                    std::pow(10, std::ceil(std::log10(high)))};
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 400\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"640\" height=\"400\" fill=\"white\"/>\n";
  svg += text_at(kLeft, 22, title, "start") + grid(scale);
  svg += text_at((kLeft + kWidth - kRight) / 2, kHeight - 12, "recall@10", "middle");
  svg += text_at(kLeft - 6, kTop - 10, "queries/s", "end");
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string colour = kColours[i % std::size(kColours)];
    std::string path;
    for (const Point& point : curves[i].points) {
      if (point.recall < 0.75) continue;
      const double x = scale.x(std::min(point.recall, 0.9995));
      path += (path.empty() ? "M" : " L") + number(x) + " " + number(scale.y(point.qps));
      svg += "<circle cx=\"" + number(x) + "\" cy=\"" + number(scale.y(point.qps)) +
             "\" r=\"3\" fill=\"" + colour + "\"/>\n";
    }
    svg +=
        "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"2\"/>\n";
    const double y = kTop + 20 + 20 * static_cast<double>(i);
    svg += "<rect x=\"" + number(kWidth - kRight + 12) + "\" y=\"" + number(y - 9) +
           "\" width=\"10\" height=\"10\" fill=\"" + colour + "\"/>\n";
    svg += text_at(kWidth - kRight + 28, y, curves[i].name, "start");
  }
  return svg + "</svg>\n";
}

}  // namespace quire::bench
