# frozen_string_literal: true

# Puts each case of a folder to the receiver kit's verify.rb and prints what it says, a line each.

kit, folder = ARGV
require File.expand_path(kit)

File.readlines(File.join(folder, "cases.tsv"), chomp: true).each do |line|
  way, now, secrets, headers_file, body_file = line.split("\t")
  headers = File.readlines(File.join(folder, headers_file), chomp: true).to_h { |each| each.split(": ", 2) }
  body = File.binread(File.join(folder, body_file))
  ours = if way == "standard"
           Leadline.standard_signature_ours?(secrets.split(",", -1), headers, body, now.to_i)
         else
           Leadline.plain_signature_ours?(secrets.split(",", -1), headers, body)
         end
  puts ours ? "yes" : "no"
end
