#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/report/figure.hpp>
#include <set>
#include <string>
#include <string_view>

#include "support/scratch.hpp"

using namespace loradyn;

namespace {

figure example() {
  panel p;
  p.title = "it's";
  p.x_label = "μ";
  p.log_y = true;
  curve& c = p.curves.emplace_back();
  c.label = "he_3^{x}";
  c.x = {0.1, 0.2, 0.3, 0.4};
  c.y = {1, std::nan(""), 3, 4};
  curve& none = p.curves.emplace_back();
  none.label = "empty";
  none.x = {0.5};
  none.y = {std::nan("")};
  p.marks.push_back({0.2, "0.200", 0});
  figure f;
  f.panels = {p, panel{}};
  return f;
}

}  // namespace

TEST_CASE("the data of a figure: an index per curve, a blank line where a curve is interrupted") {
  CHECK(gnuplot_data(example()) ==
        "# it's: he_3^{x}\n0.1 1\n\n0.3 3\n0.4 4\n\n\n# it's: empty\nNaN NaN\n\n\n");
}

TEST_CASE("the script of a figure names its files and quotes its texts") {
  const std::string script = gnuplot_script(example(), "a'b.svg", "a'b.dat");
  CHECK(script.find(R"(picture = "./a\047b.svg")") != std::string::npos);
  CHECK(script.find(R"("./a\047b.dat" index 0 with lines)") != std::string::npos);
  CHECK(script.find("index 1 with") == std::string::npos);  // there is nothing to draw of it
  CHECK(script.find(R"(set title "it\047s")") != std::string::npos);
  CHECK(script.find("title 'he_3^{x}'") != std::string::npos);
  CHECK(script.find("set logscale y") != std::string::npos);
  CHECK(script.find("from first 0.2, graph 0 to first 0.2, graph 1") != std::string::npos);
  CHECK_THROWS_AS(gnuplot_script(example(), "a.bmp", "a.dat"), argument_error);
}

TEST_CASE("a field has an index of its own, and a curve without a label no key") {
  figure f = example();
  f.panels[0].field = {{0.1, 0.2, 0.01, -0.02}};
  f.panels[0].curves[0].label.clear();
  f.panels[0].log_x = true;
  CHECK(gnuplot_data(f).starts_with("# field: x y dx dy\n0.1 0.2 0.01 -0.02\n\n\n"));
  const std::string script = gnuplot_script(f, "a.svg", "a.dat");
  CHECK(script.find("'./a.dat' index 0 with vectors") != std::string::npos);
  CHECK(script.find("index 1 with lines linewidth 2 dashtype 1 linecolor rgb '#0072B2' notitle") !=
        std::string::npos);
  CHECK(script.find("set logscale x") != std::string::npos);
}

TEST_CASE("a map has a row for each cell, and powers of ten where its axis is told by them") {
  figure f;
  f.panels.emplace_back();
  panel& p = f.panels[0];
  p.y_is_log10 = true;
  p.heat = heat_map{{0.0, 0.5}, {-1.0, 0.0}, {1.0, 2.0, std::nan(""), 4.0}, "z", {}};
  p.texts = {{0.25, -0.5, "it's here"}};
  CHECK(gnuplot_data(f).starts_with("# map: x y z\n0 -1 1\n0.5 -1 2\n0 0 NaN\n0.5 0 4\n\n\n"));
  const std::string script = gnuplot_script(f, "a.svg", "a.dat");
  CHECK(script.find("set format y '10^{%g}'") != std::string::npos);
  CHECK(script.find(R"(set label "it\047s here")") != std::string::npos);
  CHECK(script.find("'./a.dat' index 0 with image pixels notitle") != std::string::npos);
  p.heat->categories = {"a", "b"};
  CHECK(gnuplot_script(f, "a.svg", "a.dat").find("set cbtics ('a' 0, 'b' 1)") != std::string::npos);
}

TEST_CASE("the data of a figure come in small pieces, and in the file as they are in one text") {
  const test::scratch dir;
  figure f = example();
  panel& p = f.panels[1];
  heat_map& h = p.heat.emplace();
  constexpr int side = 200;
  for (int i = 0; i < side; ++i) {
    h.x.push_back(i / 7.0);
    h.y.push_back(i / 3.0);
  }
  for (int i = 0; i < side * side; ++i) {
    h.z.push_back(i % 11 == 0 ? std::nan("") : std::sin(i));
  }
  std::string joined;
  std::size_t largest = 0;
  write_gnuplot_data(f, [&](std::string_view piece) {
    largest = std::max(largest, piece.size());
    joined += piece;
  });
  CHECK(joined == gnuplot_data(f));
  CHECK(joined.size() > 1'000'000);
  CHECK(largest < 70'000);
  figure_file file(dir.path / "f.svg");
  try {
    file.draw(f);
  } catch (const drawing_error&) {
    // Without gnuplot script and data are there all the same.
  }
  CHECK(read_file(dir.path / "f.dat") == joined);
}

TEST_CASE("gaps at the ends of a curve, and many in a row") {
  figure f;
  const double none = std::nan("");
  curve& c = f.panels.emplace_back().curves.emplace_back();
  c.label = "c";
  c.x = {0, 1, 2, 3, 4, 5, 6};
  c.y = {none, 1, none, none, 4, none, none};
  CHECK(gnuplot_data(f) == "# c\n1 1\n\n4 4\n\n\n");
}

TEST_CASE("maps side by side share a range of colours, and each has its own kind of them") {
  figure f;
  f.panels.resize(2);
  for (panel& p : f.panels) {
    p.heat = heat_map{{0.0, 0.5}, {-1.0, 0.0}, {1.0, 2.0, 3.0, 4.0}, "z", {}, {{0.5, 8.0}}};
  }
  f.panels[1].title = "right";
  const auto count = [&f](const std::string& text) {
    const std::string script = gnuplot_script(f, "a.svg", "a.dat");
    std::size_t found = 0;
    for (std::size_t at = script.find(text); at != std::string::npos;
         at = script.find(text, at + 1)) {
      ++found;
    }
    return found;
  };
  CHECK(count("set cbrange [0.5:8]\n") == 2);
  CHECK(count("set autoscale cb\n") == 0);
  // Wider than curves, for the colours, and with room for the title, which was cut off.
  CHECK(count("set terminal svg size 1120,460") == 1);
  CHECK(count("set tmargin 2.2\n") == 2);
  // gnuplot draws nothing over an empty range.
  f.panels[0].heat->range = {{2.0, 2.0}};
  f.panels[1].heat->range = {{std::nan(""), std::nan("")}};
  CHECK(count("set cbrange") == 0);
  CHECK(count("set autoscale cb\n") == 2);
  // The left map's four colours are not the right map's, nor is the room that their names take.
  f.panels[0].heat->categories = {"learned", "unlearned", "trapped", "searching"};
  CHECK(count("set palette maxcolors 4\n") == 1);
  CHECK(count("set palette maxcolors 0\n") == 1);
  CHECK(count("set rmargin 13\n") == 1);
}

TEST_CASE("a map over uneven places has cells that reach half of the way to their neighbours") {
  CHECK(cell_edges({3.0}) == std::vector<double>{2.5, 3.5});
  CHECK(cell_edges({0.0, 0.2, 1.0}) == std::vector<double>{-0.1, 0.1, 0.6, 1.4});
  panel p;
  p.heat = heat_map{.x = {0.0, 0.5, 2.0},
                    .y = {1.0, 2.0},
                    .z = {1, 2, 3, 4, std::nan(""), 6},
                    .label = "z",
                    .categories = {}};
  const figure f{{p}};
  const std::string data = gnuplot_data(f);
  CHECK(data.find("# map: x y left right bottom top z\n0 1 -0.25 0.25 0.5 1.5 1\n") == 0);
  CHECK(data.find("2 2 1.25 2.75 1.5 2.5 6\n") != std::string::npos);
  CHECK(data.find("NaN") == std::string::npos);
  const std::string script = gnuplot_script(f, "f.svg", "f.dat");
  CHECK(script.find("set xrange [-0.25:2.75]") != std::string::npos);
  CHECK(script.find("with boxxyerror") != std::string::npos);

  // Even to rounding is even.
  panel even = p;
  even.heat->x = {0.1, 0.2, 0.30000000000000004};
  CHECK(gnuplot_script({{even}}, "f.svg", "f.dat").find("with image pixels") != std::string::npos);
}

namespace {

// A curve of two points, named.
curve line(const std::string& label, double height) {
  curve c;
  c.label = label;
  c.x = {0.0, 1.0};
  c.y = {height, height + 1.0};
  return c;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("where there is nothing to draw the figure has axes and says so") {
  panel p;
  p.log_y = true;
  curve c = line("c", 1.0);
  c.y = {std::nan(""), -1.0};
  p.curves = {c};
  CHECK_FALSE(has_content(p));
  const std::string script = gnuplot_script({{p}}, "f.svg", "f.dat");
  CHECK(script.find("set label 'nothing to draw' at graph 0.5") != std::string::npos);
  CHECK(script.find("plot [0:1] [1:10] NaN notitle") != std::string::npos);
  p.curves[0].y = {2.0, -1.0};  // a single place has no line
  CHECK(has_content(p));
  CHECK(gnuplot_script({{p}}, "f.svg", "f.dat").find("index 0 with points") != std::string::npos);
}

TEST_CASE("up to six curves have a key, more are named where they end, a family has a bar") {
  panel p;
  for (int i = 0; i < 6; ++i) {
    p.curves.push_back(line("c" + std::to_string(i), i));
  }
  CHECK(count(gnuplot_script({{p}}, "f.svg", "f.dat"), " title 'c") == 6);
  p.curves.push_back(line("c6", 6));
  p.curves.push_back(line("c7", 6));
  const std::string named = gnuplot_script({{p}}, "f.svg", "f.dat");
  CHECK(named.find("unset key") != std::string::npos);
  CHECK(count(named, " title 'c") == 0);
  CHECK(count(named, "set label 'c") == 8);
  // No two look the same.
  std::set<std::string> styles;
  for (std::size_t at = named.find("with lines"); at != std::string::npos;
       at = named.find("with lines", at + 1)) {
    styles.insert(named.substr(at, named.find(" notitle", at) - at));
  }
  CHECK(styles.size() == 8);
  // What lies under another looks out from below it, also where it has its colour and its dashes.
  CHECK(named.find("linewidth 3.5 dashtype 1 ") != std::string::npos);
  CHECK(named.find("linewidth 1.3 dashtype (4,4) ") != std::string::npos);
  for (std::size_t i = 0; i < p.curves.size(); ++i) {
    p.curves[i].value = 0.5 * static_cast<double>(i);
  }
  p.value_label = "ν";
  const std::string bar = gnuplot_script({{p}}, "f.svg", "f.dat");
  CHECK(bar.find("set cbrange [0:3.5]") != std::string::npos);
  CHECK(bar.find("set cblabel 'ν'") != std::string::npos);
  CHECK(count(bar, "linecolor palette cb ") == 8);
  CHECK(count(bar, "\nset label") == 0);
}

TEST_CASE("long numbers have room beside each other") {
  panel p;
  p.curves.push_back(line("a", 1));
  p.curves[0].x = {0.0, 15000.0};
  p.curves[0].y = {0.0, 1.0};
  const std::string two = gnuplot_script({{p, p}}, "f.svg", "f.dat");
  CHECK(count(two, "set xtics 5000 ") == 2);
  p.curves[0].x = {0.0, 200.0};
  CHECK(count(gnuplot_script({{p, p}}, "f.svg", "f.dat"), "set xtics 5000 ") == 0);
}

TEST_CASE("labels break where the axes are short, and slanted names end at their ticks") {
  panel p;
  p.y_label = "deviation of the mean from the theory";
  p.curves.push_back(line("a", 1));
  const figure_style column{.size = std::pair(8.6, 0.0)};
  CHECK(gnuplot_script({{p}}, "f.svg", "f.dat").find("set ylabel 'deviation of the mean from") !=
        std::string::npos);
  p.ticks = {{0.0, "a name that is longer than a tick's"}};
  const std::string narrow = gnuplot_script({{p}}, "f.svg", "f.dat", column);
  CHECK(narrow.find("set ylabel \"deviation of the\\nmean from the theory\"") != std::string::npos);
  CHECK(narrow.find("rotate by 45 right") != std::string::npos);
  CHECK(count(narrow, "…[1]") == 1);
}

TEST_CASE("categories of a map have the colours that are theirs") {
  panel p;
  p.heat = heat_map{.x = {0.0, 1.0},
                    .y = {0.0, 1.0},
                    .z = {0.0, 1.0, 0.0, 1.0},
                    .label = "outcome",
                    .categories = {"learned", "searching"},
                    .category_colours = {0, 3}};
  const std::string script = gnuplot_script({{p}}, "f.svg", "f.dat");
  CHECK(script.find("set palette maxcolors 2\nset palette defined (0 '#21918c', 1 '#dddddd')") !=
        std::string::npos);
  // gnuplot takes no palette of one colour.
  p.heat->categories = {"searching"};
  p.heat->category_colours = {3};
  p.heat->z = {0.0, 0.0, 0.0, 0.0};
  CHECK(gnuplot_script({{p}}, "f.svg", "f.dat")
            .find("set palette maxcolors 2\nset palette defined (0 '#dddddd', 1 '#dddddd')") !=
        std::string::npos);
}

TEST_CASE("a long name is cut and stands in full below, and the picture grows for it") {
  panel p;
  const std::string name(60, 'x');
  p.curves = {line(name, 0.0), line("short", 1.0)};
  const std::string script = gnuplot_script({{p}}, "f.svg", "f.dat");
  CHECK(script.find(" title 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…[1]'") != std::string::npos);
  CHECK(script.find("set label '[1] " + name + "' at screen") != std::string::npos);
  CHECK(script.find("svg size 680,460") == std::string::npos);
  figure_style column;
  column.size = {8.6, 6.0};
  const std::string small = gnuplot_script({{p}}, "f.svg", "f.dat", column);
  CHECK(small.find("svg size 325,227 font 'Helvetica,13.3'") != std::string::npos);
}

TEST_CASE("panels stand two in a row, and one below the other in a column") {
  panel p;
  p.y_label = "y";
  p.curves = {line("c", 0.0)};
  const figure f{{p, p, p}};
  const std::string script = gnuplot_script(f, "f.svg", "f.dat");
  CHECK(script.find("svg size 880,920") != std::string::npos);
  CHECK(script.find("set origin 0.50000,0.50000") != std::string::npos);
  CHECK(script.find("set origin 0.00000,0.00000") != std::string::npos);
  CHECK(count(script, "set ylabel 'y'") == 2);  // the second panel has the first's
  figure_style column;
  column.size = {8.6, 15.0};
  CHECK(count(gnuplot_script(f, "f.svg", "f.dat", column), "set size 1.00000,0.33333") == 3);
}

TEST_CASE("a logarithmic axis of less than two decades has numbers") {
  panel p;
  p.log_x = true;
  p.curves = {line("c", 0.0)};
  p.curves[0].x = {0.1, 0.9};
  CHECK(
      gnuplot_script({{p}}, "f.svg", "f.dat").find("set xtics ('0.1' 0.1, '0.2' 0.2, '0.5' 0.5)") !=
      std::string::npos);
  p.curves[0].x = {0.1, 90.0};
  CHECK(gnuplot_script({{p}}, "f.svg", "f.dat").find("set format x '10^{%T}'") !=
        std::string::npos);
}

TEST_CASE("texts of a .tex are set, not run") {
  panel p;
  p.x_label = "μ";
  p.curves = {line("\\input{a}_$x^2$", 0.0)};
  const std::string script = gnuplot_script({{p}}, "f.tex", "f.dat");
  CHECK(script.find("set terminal cairolatex pdf") != std::string::npos);
  CHECK(script.find("\\input") == std::string::npos);
  CHECK(script.find(R"(\134textbackslash{}input\134{a\134}\134_\134\044x)") != std::string::npos);
  CHECK(script.find(R"(set xlabel "\044\134mu\044")") != std::string::npos);
}

TEST_CASE("a figure takes the place of what a figure made, and of nothing else") {
  const test::scratch dir;
  const auto write = [&dir](const char* name, const std::string& text) {
    pending_file file(dir.path / name);
    file.write(text);
    file.commit();
  };
  write("f.dat", "1 2\n");
  CHECK_THROWS_WITH(figure_file(dir.path / "f.svg"),
                    Catch::Contains("f.dat', which comes with") &&
                        Catch::Contains("is there and was made by no figure"));
  write("f.gp", gnuplot_script(example(), "f.svg", "f.dat"));
  CHECK_NOTHROW(figure_file(dir.path / "f.svg"));
  write("f.gp", "plot sin(x)\n");
  CHECK_THROWS_AS(figure_file(dir.path / "f.svg"), file_error);
  CHECK_THROWS_AS(figure_file(dir.path / "g.svg", {.font = "x';y"}), argument_error);
}

TEST_CASE("where not all curves can be named, one note says how many are") {
  panel p;
  for (int i = 0; i < 51; ++i) {
    p.curves.push_back(line("c" + std::to_string(i), i));
  }
  figure_style column;
  column.size = {8.6, 8.0};
  const std::string script = gnuplot_script({{p}}, "f.svg", "f.dat", column);
  const std::size_t named = count(script, "set label 'c");
  CHECK(named > 6);
  CHECK(named < 51);
  CHECK(count(script, " of the 51 curves are named") == 1);
  CHECK(script.find(std::to_string(named) + " of the 51 curves are named") != std::string::npos);
  // On a screen the picture grows instead.
  CHECK(count(gnuplot_script({{p}}, "f.svg", "f.dat"), "set label 'c") == 51);
}
