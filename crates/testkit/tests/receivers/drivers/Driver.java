// Puts each case of a folder to the receiver kit's Verify.java and prints what it says, a line each.

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public final class Driver {
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        for (String line : Files.readAllLines(folder.resolve("cases.tsv"))) {
            String[] parts = line.split("\t", -1);
            List<String> secrets = List.of(parts[2].split(",", -1));
            Map<String, String> headers = new HashMap<>();
            for (String each : Files.readAllLines(folder.resolve(parts[3]))) {
                String[] pair = each.split(": ", 2);
                headers.put(pair[0], pair[1]);
            }
            byte[] body = Files.readAllBytes(folder.resolve(parts[4]));
            boolean isOurs = parts[0].equals("standard")
                    ? Verify.isStandardSignatureOurs(secrets, headers, body, Long.parseLong(parts[1]))
                    : Verify.isPlainSignatureOurs(secrets, headers, body);
            System.out.println(isOurs ? "yes" : "no");
        }
    }
}
