# Runs a formula as Homebrew would on this Linux machine, as far as that goes without Homebrew:
#
#   ruby packaging/try-formula.rb FORMULA BINARY PREFIX
#
# What the formula asks for is checked and done; what it asks for and this does not know fails.
require "digest"
require "fileutils"
require "open3"
require "pathname"
require "tmpdir"

FORMULA, BINARY, PREFIX = ARGV.map { |word| Pathname(word).expand_path }

# What Homebrew adds to paths.
class Pathname
  def install(renamed)
    renamed.each do |from, to|
      mkpath
      FileUtils.cp(from, self + to)
    end
  end

  alias write_bare write
  def write(text)
    dirname.mkpath
    write_bare(text)
  end

  undef_method :/ if method_defined?(:/)
  def /(other) = self + other
end

module Utils
  def self.safe_popen_read(*words)
    said, status = Open3.capture2(*words.map(&:to_s))
    raise "#{words.join(" ")} failed" unless status.success?
    said
  end
end

class Formula
  FACTS = Hash.new { |all, name| all[name] = [] }

  class << self
    %i[desc homepage version license url sha256 depends_on].each do |fact|
      define_method(fact) { |*words, **named| FACTS[fact] << (words.first || named) }
    end

    # Every platform is read, so that each must be well-formed; the last one is this machine.
    %i[on_macos on_linux on_arm on_intel].each do |platform|
      define_method(platform) { |&block| class_eval(&block) }
    end

    def service(&block) = class_eval(&block)
    def name(**names) = FACTS[:service] << names
    def test(&block) = define_method(:run_test, &block)
  end

  def version = FACTS[:version].last
  def prefix = PREFIX
  def bin = PREFIX/"bin"
  def opt_bin = bin
  def man1 = PREFIX/"share/man/man1"
  def var = PREFIX/"var"

  def generate_completions_from_executable(*words)
    %w[bash zsh fish].each { |shell| (PREFIX/"completions"/shell).write Utils.safe_popen_read(*words, shell) }
  end

  def chmod(mode, path) = FileUtils.chmod(mode, path)

  def shell_output(command, wanted = 0)
    said, status = Open3.capture2(command)
    raise "#{command} ended with #{status.exitstatus}: #{said}" unless status.exitstatus == wanted
    said
  end

  def assert_equal(wanted, found) = (raise "#{found} is not #{wanted}" unless wanted == found)
  def assert_match(wanted, found) = (raise "#{found} has no #{wanted}" unless found.match?(wanted))
end

load FORMULA.to_s
facts = Formula::FACTS
raise "a license and a tmux are wanted" if facts[:license].empty? || !facts[:depends_on].include?("tmux")
raise "an address and a sum each: #{facts}" unless facts[:url].uniq.size == 4 && facts[:sha256].size == 4
sum = Digest::SHA256.file(BINARY).hexdigest
raise "#{sum} is not the last of #{facts[:sha256]}" unless facts[:sha256].last == sum

formula = ChatcodeGateway.new
Dir.mktmpdir do |folder|
  Dir.chdir(folder) do
    FileUtils.cp(BINARY, File.basename(facts[:url].last))
    formula.install
    formula.post_install
    formula.run_test
  end
end
facts[:service].first.each do |system, name|
  file = PREFIX/"#{name}.#{{ macos: "plist", linux: "service" }.fetch(system)}"
  raise "#{file} does not start the program" unless file.read.include?("#{PREFIX}/bin/chatcode-gateway")
end
puts formula.caveats
