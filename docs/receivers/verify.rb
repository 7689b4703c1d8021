# frozen_string_literal: true

# Verifies deliveries of Leadline. Ruby 2.7 or later, nothing to install.

require "openssl"

module Leadline
  TOLERANCE_S = 5 * 60
  # Anybody can sign with an empty secret, which is what a forgotten variable makes of it.
  SECRET = %r{\Awhsec_[A-Za-z0-9+/]{32,}={0,2}\z}

  module_function

  # The Standard Webhooks way: signs id, time and body, so an old request cannot be sent again.
  #
  # secrets: those that the dashboard showed, "whsec_…"; one is the rule
  # headers: their values by lower-case name
  # raw_body: the bytes as they came
  def standard_signature_ours?(secrets, headers, raw_body, now_s = Time.now.to_i)
    timestamp = headers["webhook-timestamp"].to_s
    return false unless timestamp.match?(/\A[0-9]{1,12}\z/)
    return false if (now_s - timestamp.to_i).abs > TOLERANCE_S

    signed = "#{headers["webhook-id"]}.#{timestamp}.".b + raw_body.b
    given = headers["webhook-signature"].to_s.split(" ")
    secrets.grep(SECRET).any? do |secret|
      key = secret.delete_prefix("whsec_").unpack1("m")
      wanted = "v1,#{[OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")}"
      given.any? { |one| same?(one, wanted) }
    end
  end

  # The plain way: signs the body alone. Keep the ids of deliveries that were handled, since this does not stop an old
  # request from being sent again.
  def plain_signature_ours?(secrets, headers, raw_body)
    given = headers["x-leadline-signature"].to_s
    secrets.grep(SECRET).any? { |secret| same?(given, "sha256=#{OpenSSL::HMAC.hexdigest("SHA256", secret, raw_body)}") }
  end

  # Takes the same time wherever the first difference is.
  def same?(given, wanted)
    given.bytesize == wanted.bytesize && OpenSSL.fixed_length_secure_compare(given, wanted)
  end
end
