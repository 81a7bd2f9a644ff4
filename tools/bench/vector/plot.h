// Recall against queries per second, as an SVG picture.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/vector/worker.h"

namespace quire::bench {

struct Curve {
  std::string name;
  std::vector<Point> points;  // by ascending ef
};

// Queries per second at this recall, between the two points around it; 0 where the curve does not
// come to it. Interpolated in the logarithms of the speed and of what is missed.
double qps_at(const Curve& curve, double recall);

std::string plot_svg(const std::string& title, const std::vector<Curve>& curves);

}  // namespace quire::bench
