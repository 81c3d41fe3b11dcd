// loradyn help, completion and man: what the options are, for people, shells and man.

#include "manual.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/names.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/printable.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/version.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "command.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

// What a shell is to know of an option.
struct known_option {
  std::vector<std::string> names;    // with their dashes; none: it stands at its place
  std::vector<std::string> choices;  // of its value
  std::string type;                  // empty: a flag
  std::string meaning;               // a line
  bool is_file = false;
};

std::vector<known_option> options_of(const CLI::App& command) {
  std::vector<known_option> known;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) {
      continue;  // it does nothing
    }
    known_option o;
    for (const std::string& name : option->get_snames()) {
      o.names.push_back("-" + name);
    }
    for (const std::string& name : option->get_lnames()) {
      o.names.push_back("--" + name);
    }
    if (option->get_type_size() != 0) {
      o.type = option->get_type_name();
      o.type = o.type.substr(0, o.type.find(':'));
    }
    o.is_file = is_file_type(o.type);
    if (o.type.find('|') != std::string::npos) {
      for (const std::string_view choice : split(o.type, '|')) {
        if (choice.find(',') == std::string_view::npos) {
          o.choices.emplace_back(choice);
        }
      }
    }
    o.meaning = option->get_description();
    std::replace(o.meaning.begin(), o.meaning.end(), '\n', ' ');
    known.push_back(std::move(o));
  }
  return known;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string command_names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) {
    names.push_back(command->get_name());
  }
  return fmt::format("{}", fmt::join(names, " "));
}

constexpr const char* shells = "bash zsh fish";

// The values of a place on the command line: of `completion` shells, of `help` commands.
std::string words_after(const CLI::App& app, const std::string& command) {
  return command == "completion" ? shells : command == "help" ? command_names_of(app) : "";
}

std::string bash_completion(const CLI::App& app) {
  std::string script =
      "# bash completion of loradyn; made by: loradyn completion bash\n\n_loradyn() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n";
  script += fmt::format(
      "    COMPREPLY=($(compgen -W '{} --help --version' -- \"$current\"))\n    return\n  fi\n"
      "  case ${{COMP_WORDS[1]}}:$before in\n",
      command_names_of(app));
  for (const CLI::App* command : commands_of(app)) {
    std::vector<std::string> numbers;
    for (const known_option& o : options_of(*command)) {
      if (o.type.empty() || o.names.empty()) {
        continue;
      }
      std::vector<std::string> patterns;
      for (const std::string& name : o.names) {
        patterns.push_back(command->get_name() + ":" + name);
      }
      if (!o.choices.empty()) {
        script += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n",
                              fmt::join(patterns, "|"), fmt::join(o.choices, " "));
      } else if (o.is_file) {
        script += fmt::format("    {}) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n",
                              fmt::join(patterns, "|"));
      } else {
        numbers.insert(numbers.end(), patterns.begin(), patterns.end());
      }
    }
    if (!numbers.empty()) {
      script += fmt::format("    {}) return ;;\n", fmt::join(numbers, "|"));
    }
  }
  script += "  esac\n  case ${COMP_WORDS[1]} in\n";
  for (const CLI::App* command : commands_of(app)) {
    std::vector<std::string> words;
    bool files = false;
    for (const known_option& o : options_of(*command)) {
      words.insert(words.end(), o.names.begin(), o.names.end());
      files = files || (o.names.empty() && o.is_file);
    }
    const std::string more = words_after(app, command->get_name());
    script += fmt::format("    {}) COMPREPLY=($(compgen {}-W '{}{}{}' -- \"$current\")) ;;\n",
                          command->get_name(), files ? "-f " : "", fmt::join(words, " "),
                          more.empty() ? "" : " ", more);
  }
  return script + "  esac\n}\ncomplete -o filenames -F _loradyn loradyn\n";
}

std::string zsh_completion(const CLI::App& app) {
  // What _arguments reads as the end of a text.
  const auto plain = [](const std::string& text) {
    std::string result;
    for (const char c : text) {
      result += (c == '[' || c == ']' || c == ':' || c == '\\') ? std::string("\\") + c
                                                                : std::string(1, c);
    }
    return result;
  };
  std::string script =
      "#compdef loradyn\n# zsh completion of loradyn; made by: loradyn completion zsh\n\n"
      "_loradyn() {\n  local context state state_descr line\n  typeset -A opt_args\n"
      "  _arguments -C '--help[the commands]' '--version[the version]' '1:command:->command' "
      "'*::argument:->argument'\n  case $state in\n    command)\n      local -a commands\n"
      "      commands=(\n";
  for (const CLI::App* command : commands_of(app)) {
    script += fmt::format("        {}\n",
                          in_quotes(command->get_name() + ":" + plain(command->get_description())));
  }
  script +=
      "      )\n      _describe command commands\n      ;;\n    argument)\n      case $line[1] "
      "in\n";
  for (const CLI::App* command : commands_of(app)) {
    script += fmt::format("        {})\n          _arguments", command->get_name());
    for (const known_option& o : options_of(*command)) {
      std::string value;
      if (!o.type.empty()) {
        const std::string choices = o.names.empty() ? words_after(app, command->get_name())
                                                    : fmt::format("{}", fmt::join(o.choices, " "));
        value = fmt::format(":{}:{}", plain(o.type),
                            !choices.empty() ? "(" + choices + ")" : (o.is_file ? "_files" : " "));
      }
      if (o.names.empty()) {
        script += " \\\n            " + in_quotes("*" + value);
      }
      for (const std::string& name : o.names) {
        script +=
            " \\\n            " + in_quotes("*" + name + "[" + plain(o.meaning) + "]" + value);
      }
    }
    script += "\n          ;;\n";
  }
  return script + "      esac\n      ;;\n  esac\n}\n\n_loradyn \"$@\"\n";
}

std::string fish_completion(const CLI::App& app) {
  const auto quoted = [](const std::string& text) {
    std::string result = "'";
    for (const char c : text) {
      result += (c == '\'' || c == '\\') ? std::string("\\") + c : std::string(1, c);
    }
    return result + "'";
  };
  std::string script =
      "# fish completion of loradyn; made by: loradyn completion fish\n\n"
      "complete -c loradyn -n __fish_use_subcommand -f\n"
      "complete -c loradyn -n __fish_use_subcommand -l version -d 'the version'\n";
  for (const CLI::App* command : commands_of(app)) {
    script += fmt::format("complete -c loradyn -n __fish_use_subcommand -a {} -d {}\n",
                          command->get_name(), quoted(command->get_description()));
  }
  for (const CLI::App* command : commands_of(app)) {
    const std::string condition =
        fmt::format("-n '__fish_seen_subcommand_from {}'", command->get_name());
    script += "\n";
    const std::string more = words_after(app, command->get_name());
    if (!more.empty()) {
      script += fmt::format("complete -c loradyn {} -f -a '{}'\n", condition, more);
    }
    for (const known_option& o : options_of(*command)) {
      if (o.names.empty()) {
        continue;
      }
      script += "complete -c loradyn " + condition;
      for (const std::string& name : o.names) {
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!o.choices.empty()) {
        script += fmt::format(" -x -a '{}'", fmt::join(o.choices, " "));
      } else if (o.is_file) {
        script += " -r -F";
      } else if (!o.type.empty()) {
        script += " -x";
      }
      script += " -d " + quoted(o.meaning) + "\n";
    }
  }
  return script;
}

// A text in a manual page: none of its lines is a request, and lists may break behind commas.
std::string roff(const std::string& text) {
  std::string result;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) {
      result += "\\&";
    }
    result += c == '\\' ? "\\e" : c == '-' ? "\\-" : c == ',' ? ",\\:" : std::string(1, c);
    at_start = c == '\n';
  }
  return result;
}

// The text under the options: paragraphs, and lines that stay lines.
std::string roff_footer(const std::string& footer) {
  std::string page;
  std::istringstream in(footer);
  bool verbatim = false;
  for (std::string line; std::getline(in, line);) {
    const bool example = line.starts_with("  ");
    if (example != verbatim) {
      page += example ? ".EX\n" : ".EE\n";
      verbatim = example;
    }
    page += line.empty() ? ".PP\n" : roff(example ? line.substr(2) : line) + "\n";
  }
  return page + (verbatim ? ".EE\n" : "");
}

std::string man_page(const CLI::App& app) {
  std::string page = fmt::format(
      ".\\\" made by: loradyn man\n.TH LORADYN 1 \"\" \"loradyn {}\" \"User Commands\"\n"
      ".SH NAME\nloradyn \\- the high\\-dimensional theory of LoRA fine\\-tuning\n"
      ".SH SYNOPSIS\n.B loradyn\n.I COMMAND\n.RI [ OPTIONS ]\n.br\n.B loradyn help\n.RI [ COMMAND "
      "]\n"
      ".SH DESCRIPTION\n"
      "Answers, from the overlaps on which one\\-pass training of a Gaussian single\\-index model\n"
      "closes, how long fine\\-tuning with LoRA takes as a function of the pre\\-training "
      "alignment,\n"
      "and why. Each command asks a question and writes a table and, with\n.BR \\-\\-plot ,\n"
      "a figure.\n.SH COMMANDS\n",
      version);
  for (const CLI::App* command : commands_of(app)) {
    page += fmt::format(".TP\n.B {}\n{}\n", roff(command->get_name()),
                        roff(command->get_description()));
  }
  for (const CLI::App* command : commands_of(app)) {
    std::string name = command->get_name();
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    page += fmt::format(".SH \"LORADYN {}\"\n{}\n", roff(name), roff(command->get_description()));
    for (const known_option& o : options_of(*command)) {
      page +=
          fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(fmt::format("{}", fmt::join(o.names, ", "))),
                      o.type.empty() ? "" : " \\fI" + roff(o.type) + "\\fR", roff(o.meaning));
    }
    const std::string footer = command->get_footer();
    if (!footer.empty()) {
      page += ".PP\n" + roff_footer(footer);
    }
  }
  return page +
         ".SH \"EXIT STATUS\"\n.TP\n0\ndone\n.TP\n1\na comparison of \\fBvalidate\\fR failed\n"
         ".TP\n2\nthe input is wrong: one line names the option, the value and what would be "
         "right\n.TP\n3\nthe computation failed: finished rows are kept\n.TP\n128+n\nsignal n\n";
}

}  // namespace

std::function<int(const invocation&)> setup_help(option_list& list) {
  list.text("command", "a command; without one, all of them", "COMMAND");
  return running(list, [](const question& words, const invocation&) -> int {
    const std::string command = words.text("command");
    const every_command all;
    if (command.empty()) {
      write_stdout(all.app().help());
      return done;
    }
    std::vector<std::string> names;
    for (const CLI::App* known : commands_of(all.app())) {
      names.push_back(known->get_name());
      if (known->get_name() == command) {
        write_stdout(known->help("loradyn"));
        return done;
      }
    }
    throw error(fmt::format("'{}' is no command of loradyn; the nearest are {}", command,
                            nearest_names(command, names)));
  });
}

std::function<int(const invocation&)> setup_completion(option_list& list) {
  list.text("shell", "bash, zsh or fish", "bash|zsh|fish");
  list.footer(
      "Prints what the shell reads. An installation has it where the shells look.\n\n"
      "Examples:\n"
      "  loradyn completion bash > ~/.local/share/bash-completion/completions/loradyn\n"
      "  loradyn completion fish > ~/.config/fish/completions/loradyn.fish");
  return running(list, [](const question& words, const invocation&) -> int {
    const std::string shell = words.text("shell");
    const every_command all;
    if (shell == "bash") {
      write_stdout(bash_completion(all.app()));
    } else if (shell == "zsh") {
      write_stdout(zsh_completion(all.app()));
    } else if (shell == "fish") {
      write_stdout(fish_completion(all.app()));
    } else {
      throw argument_error("SHELL", "'" + shell + "'", "bash, zsh or fish");
    }
    return done;
  });
}

std::function<int(const invocation&)> setup_man(option_list& list) {
  list.footer(
      "Prints the manual page.\n\n"
      "Example:\n"
      "  loradyn man > loradyn.1");
  return [](const invocation&) {
    const every_command all;
    write_stdout(man_page(all.app()));
    return done;
  };
}

}  // namespace loradyn::cli
