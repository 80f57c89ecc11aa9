// mysql8 - reads SQL from the files named (or standard input) and says of each statement whether MySQL 8's
// grammar takes it. "?" stands for a parameter. Output is TAP.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver"
)

func statements(text string) []string {
	var out []string
	var one strings.Builder
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "-- ") || strings.TrimSpace(line) == "" {
			continue
		}
		one.WriteString(line + "\n")
		if strings.HasSuffix(strings.TrimSpace(line), ";") {
			out = append(out, one.String())
			one.Reset()
		}
	}
	if strings.TrimSpace(one.String()) != "" {
		out = append(out, one.String())
	}
	return out
}

func main() {
	var texts []string
	for _, name := range os.Args[1:] {
		b, err := os.ReadFile(name)
		if err != nil {
			fmt.Println("Bail out!", err)
			os.Exit(1)
		}
		texts = append(texts, string(b))
	}
	if len(texts) == 0 {
		b, _ := io.ReadAll(os.Stdin)
		texts = append(texts, string(b))
	}
	p := parser.New()
	n, bad := 0, 0
	for _, text := range texts {
		for _, s := range statements(text) {
			n++
			nodes, _, err := p.Parse(s, "", "")
			strange := strangeIn(s, nodes)
			if err != nil || len(strange) > 0 {
				bad++
				fmt.Printf("not ok %d - %s\n# %v %v\n", n, strings.Join(strings.Fields(s), " "), err, strange)
			} else {
				fmt.Printf("ok %d\n", n)
			}
		}
	}
	fmt.Printf("1..%d\n", n)
	if bad > 0 || n == 0 {
		os.Exit(1)
	}
}
