<?php

// Puts each case of a folder to the receiver kit's verify.php and prints what it says, a line each.

declare(strict_types=1);

[, $kit, $folder] = $argv;
require $kit;

foreach (file("$folder/cases.tsv", FILE_IGNORE_NEW_LINES) as $line) {
    [$way, $now, $secrets, $headersFile, $bodyFile] = explode("\t", $line);
    $headers = [];
    foreach (file("$folder/$headersFile", FILE_IGNORE_NEW_LINES) as $each) {
        [$name, $value] = explode(': ', $each, 2);
        $headers[$name] = $value;
    }
    $body = file_get_contents("$folder/$bodyFile");
    $isOurs = $way === 'standard'
        ? is_standard_signature_ours(explode(',', $secrets), $headers, $body, (int) $now)
        : is_plain_signature_ours(explode(',', $secrets), $headers, $body);
    echo $isOurs ? "yes\n" : "no\n";
}
