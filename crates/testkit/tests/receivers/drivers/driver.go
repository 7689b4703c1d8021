// Puts each case of a folder to the receiver kit's verify.go and prints what it says, a line each.
package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	folder := os.Args[1]
	for _, line := range lines(folder, "cases.tsv") {
		parts := strings.Split(line, "\t")
		seconds, err := strconv.ParseInt(parts[1], 10, 64)
		must(err)
		header := http.Header{}
		for _, each := range lines(folder, parts[3]) {
			name, value, _ := strings.Cut(each, ": ")
			header.Set(name, value)
		}
		body, err := os.ReadFile(filepath.Join(folder, parts[4]))
		must(err)
		secrets := strings.Split(parts[2], ",")
		isOurs := IsPlainSignatureOurs(secrets, header, body)
		if parts[0] == "standard" {
			isOurs = IsStandardSignatureOurs(secrets, header, body, time.Unix(seconds, 0))
		}
		if isOurs {
			fmt.Println("yes")
		} else {
			fmt.Println("no")
		}
	}
}

func lines(folder, name string) []string {
	text, err := os.ReadFile(filepath.Join(folder, name))
	must(err)
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
