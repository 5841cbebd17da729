// Command tiny stands for portcullis in the tests of the release.
package main

import "fmt"

func main() { fmt.Println("tiny") }
