# The gateway of chatcode. Written by `cargo xtask package`.
class ChatcodeGateway < Formula
  desc "Keeps tmux sessions and relays them to the browser"
  homepage "@HOMEPAGE@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@URL@/chatcode-gateway-aarch64-apple-darwin"
      sha256 "@SHA256 aarch64-apple-darwin@"
    end
    on_intel do
      url "@URL@/chatcode-gateway-x86_64-apple-darwin"
      sha256 "@SHA256 x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@URL@/chatcode-gateway-aarch64-unknown-linux-musl"
      sha256 "@SHA256 aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "@URL@/chatcode-gateway-x86_64-unknown-linux-musl"
      sha256 "@SHA256 x86_64-unknown-linux-musl@"
    end
  end

  depends_on "tmux"

  def install
    bin.install Dir["chatcode-gateway-*"].first => "chatcode-gateway"
    chmod 0755, bin/"chatcode-gateway"
    (man1/"chatcode-gateway.1").write Utils.safe_popen_read(bin/"chatcode-gateway", "man")
    generate_completions_from_executable(bin/"chatcode-gateway", "completions")

    # Files of our own: those that Homebrew would make end the sessions with the gateway.
    (prefix/"chatcode-gateway.service").write <<~'UNIT'.gsub("@BIN@", opt_bin.to_s)
@UNIT@
    UNIT
    (prefix/"chatcode-gateway.plist").write <<~'PLIST'.gsub("@BIN@", opt_bin.to_s).gsub("@LOG@", (var/"log").to_s)
@PLIST@
    PLIST
  end

  def post_install
    (var/"log").mkpath
  end

  service do
    name macos: "chatcode-gateway", linux: "chatcode-gateway"
  end

  def caveats
    <<~TEXT
      Write the settings of this machine, two lines and a token, into
        ~/.config/chatcode/gateway.env
      or paste the line that the page of the server shows; then
        brew services start chatcode-gateway
    TEXT
  end

  test do
    assert_equal "chatcode-gateway #{version}", shell_output("#{bin}/chatcode-gateway version").strip
    assert_match "GATEWAY_ID", shell_output("#{bin}/chatcode-gateway doctor 2>&1", 1)
  end
end
